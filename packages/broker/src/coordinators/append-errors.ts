import { ErrorCode } from '@kavka/protocol'

/**
 * What a client of a coordinator is told when the coordinator's own append failed: never the storage's code,
 * which would send it to look for another leader of a partition it does not know of.
 */
export function coordinatorErrorOf(appendErrorCode: number): number {
  switch (appendErrorCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
    case ErrorCode.INVALID_FETCH_SIZE:
      return ErrorCode.UNKNOWN_SERVER_ERROR
    default:
      return appendErrorCode
  }
}

/**
 * What an append's result says of the log. `refused`: nothing was written. `written`: it is in the log and
 * will be committed or the leadership ends. `unclear`: it may or may not be there; only reading the log again
 * can tell.
 */
export function appendOutcomeOf(errorCode: number): 'committed' | 'refused' | 'written' | 'unclear' {
  switch (errorCode) {
    case ErrorCode.NONE:
      return 'committed'
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return 'written'
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.KAFKA_STORAGE_ERROR:
    case ErrorCode.UNKNOWN_SERVER_ERROR:
      return 'unclear'
    default:
      return 'refused'
  }
}
