/** What the user asked for cannot be done as asked; the message says what and how instead. Caught by `main`, printed without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
