/** The call `Replication.Fetch`, as both of its sides know it. */
export const FETCH_PATH = '/kavka.internal.v1.Replication/Fetch'
