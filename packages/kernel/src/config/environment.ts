const NOT_PROPERTIES = new Set([
  'KAFKA_VERSION', 'KAFKA_HEAP_OPTS', 'KAFKA_LOG4J_OPTS', 'KAFKA_OPTS', 'KAFKA_JMX_OPTS', 'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS', 'KAFKA_LOG4J_ROOT_LOGLEVEL', 'KAFKA_LOG4J_LOGGERS', 'KAFKA_TOOLS_LOG4J_LOGLEVEL', 'KAFKA_JMX_HOSTNAME',
  'KAFKA_HOME', 'KAFKA_JMX_PORT',
])

/** `KAFKA_LOG_DIRS` → `log.dirs`; `__` stands for `_` and `___` for `-`, as in the container images of Kafka. */
export function propertyNameOfVariable(variable: string): string {
  return variable
    .replace(/^KAFKA_(CFG_)?/, '')
    .toLowerCase()
    .replaceAll(/(?<=[^_])_(?=[^_]|$)/g, '.')
    .replaceAll('___', '-')
    .replaceAll('__', '_')
}

/** The properties that the environment sets, by name; `CLUSTER_ID` becomes `kavka.cluster.id`. */
export function propertiesOfEnvironment(environment: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined) continue
    if (variable === 'CLUSTER_ID') properties.set('kavka.cluster.id', value)
    if (variable.startsWith('KAFKA_') && !NOT_PROPERTIES.has(variable)) properties.set(propertyNameOfVariable(variable), value)
  }
  if (!properties.has('listeners') && properties.has('advertised.listeners')) {
    properties.set('listeners', properties.get('advertised.listeners')!.replaceAll(/:\/\/[^:,]*:/g, '://0.0.0.0:'))
  }
  return properties
}
