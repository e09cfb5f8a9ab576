/**
 * Node's own text methods without the option parsing of `toString` and `write`: a fraction of the time for
 * short strings.
 */
export interface NativeText {
  utf8Slice(start: number, end: number): string
  utf8Write(text: string, offset: number, length: number): number
}
