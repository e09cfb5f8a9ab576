import { ErrorCode } from '../error-codes.ts'

/** What is wrong with record bytes, in the classes that Kafka answers differently. */
export type RecordFault =
  /** Sizes, magic or checksum of a batch. */
  | {
      readonly kind: 'corrupt'
      readonly errorCode: typeof ErrorCode.CORRUPT_MESSAGE
      readonly message: string
    }
  /** Records inside a batch, or a batch that is out of place. */
  | {
      readonly kind: 'invalid'
      readonly errorCode: typeof ErrorCode.INVALID_RECORD
      readonly message: string
    }
  /**
   * Compressed data that cannot be read, a codec that does not exist. Kafka has no code of its own for these.
   */
  | {
      readonly kind: 'undecodable'
      readonly errorCode: typeof ErrorCode.UNKNOWN_SERVER_ERROR
      readonly message: string
    }
  /** Compressed data that grows beyond what the reader is ready to hold. */
  | {
      readonly kind: 'too-large'
      readonly errorCode: typeof ErrorCode.MESSAGE_TOO_LARGE
      readonly message: string
    }
  /** A codec that the version of the request does not have yet. */
  | {
      readonly kind: 'unsupported-compression'
      readonly errorCode: typeof ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
      readonly message: string
    }

export function corrupt(message: string): RecordFault {
  return { kind: 'corrupt', errorCode: ErrorCode.CORRUPT_MESSAGE, message }
}

export function invalid(message: string): RecordFault {
  return { kind: 'invalid', errorCode: ErrorCode.INVALID_RECORD, message }
}

export function undecodable(message: string): RecordFault {
  return { kind: 'undecodable', errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, message }
}

export function tooLarge(message: string): RecordFault {
  return { kind: 'too-large', errorCode: ErrorCode.MESSAGE_TOO_LARGE, message }
}

export function unsupportedCompression(message: string): RecordFault {
  return { kind: 'unsupported-compression', errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, message }
}
