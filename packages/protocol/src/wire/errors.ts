/** What a malformed input was, where; the shell closes the connection or reports a corrupt log. */
export interface DecodeProblem {
  /** Name of the message being read, or `frame` or `record batch` for the layers around it. */
  readonly message: string
  /** Byte at which the reader stood when it gave up. */
  readonly offset: number
}

/** The only error that comes out of decoding, whatever the bytes were. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly problem: DecodeProblem

  constructor(reason: string, problem: DecodeProblem) {
    super(`${problem.message}: ${reason} at byte ${problem.offset}`)
    this.problem = problem
  }
}

/** A value that the asked version of a message cannot carry, or that is out of the range of its type. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError'
}
