/**
 * JVM flags of Kafka's performance tools: the heap of their own start scripts, the serial collector because there are few cores.
 * Both compilers: a load generator that is slower than the cluster would measure itself.
 */
export const loadFlags: readonly string[] = ['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData']

/** Longest that one run of a tool may take. */
export const TOOL_MS_MAX = 1_200_000
