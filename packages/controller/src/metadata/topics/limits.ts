/**
 * Records one request may create: an atomic batch must fit into one entry of the log (Kafka's limit is the
 * same).
 */
export const PARTITIONS_PER_REQUEST_MAX = 10_000
