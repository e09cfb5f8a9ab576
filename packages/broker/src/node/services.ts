/** What the handlers of this node get to work with. */
import { supportedFeatures } from '@kavka/controller'
import type { MetadataImage } from '@kavka/controller'
import { nodeId as brandedNodeId } from '@kavka/protocol'
import type { DynamicConfig } from '../configs/dynamic-config.ts'
import type { LoggerLevels } from '../configs/logger-levels.ts'
import type { ControllerGateway } from '../controller-gateway/controller-gateway.ts'
import { ForwardingGateway } from '../controller-gateway/forwarding-gateway.ts'
import { LocalGateway } from '../controller-gateway/local-gateway.ts'
import { createApiTable } from '../handlers/api-table.ts'
import type { ApiTable } from '../handlers/api-table.ts'
import { brokerHandlers, controllerHandlers } from '../handlers/index.ts'
import type { BrokerServices, LogDirectories, LogDirectoryView, NodeServices } from '../handlers/services.ts'
import type { TopicMeters } from '../metrics/topic-meters.ts'
import { allowAllAuthorizer } from '../security/authorizer.ts'
import { TopicCreator } from '../topic-creation/topic-creation.ts'
import type { BrokerSide } from './broker-side.ts'
import type { MetadataSide } from './metadata-side.ts'
import type { NodeDependencies, NodeSettings } from './node-settings.ts'

interface ServicesDependencies extends NodeDependencies {
  readonly loggers: LoggerLevels
  readonly dynamicConfig: DynamicConfig
}

/** Null where the node lacks the role. */
export function createTables(
  settings: NodeSettings,
  metadata: MetadataSide,
  broker: BrokerSide | null,
  topicMeters: TopicMeters | null,
  deps: ServicesDependencies,
): { readonly broker: ApiTable | null; readonly controller: ApiTable | null } {
  const activeControllerId = (): ReturnType<ControllerGateway['activeControllerId']> => metadata.quorumState().leaderId
  const { channel, controller } = metadata
  const tables: { broker: ApiTable | null; controller: ApiTable | null } = { broker: null, controller: null }
  if (controller !== null) {
    const gateway = new LocalGateway({ service: controller, activeControllerId })
    const services = nodeServices(settings, metadata, gateway, () => tables.controller!, deps)
    tables.controller = createApiTable('controller', controllerHandlers, services)
  }
  if (broker !== null && topicMeters !== null) {
    const gateway = new ForwardingGateway({ channel, scheduler: deps.scheduler, activeControllerId })
    const services = nodeServices(settings, metadata, gateway, () => tables.broker!, deps)
    tables.broker = createApiTable('broker', brokerHandlers, brokerServices(settings, services, broker, topicMeters, deps))
  }
  return tables
}

function nodeServices(
  settings: NodeSettings,
  metadata: MetadataSide,
  controller: ControllerGateway,
  apiTable: () => ApiTable,
  { scheduler, random, loggers, dynamicConfig }: ServicesDependencies,
): NodeServices {
  return {
    nodeId: brandedNodeId(settings.config.nodeId),
    clusterId: settings.clusterId,
    get config() {
      return dynamicConfig.current
    },
    explicitConfig: settings.explicit,
    scheduler,
    random,
    logger: loggers.get('kafka.server.KafkaApis'),
    authorizer: allowAllAuthorizer,
    image: (): MetadataImage => metadata.loader.publishedImage,
    controller,
    loggers,
    supportedFeatures,
    apiTable,
    voters: settings.layout.voters,
  }
}

function brokerServices(
  settings: NodeSettings,
  services: NodeServices,
  broker: BrokerSide,
  topicMeters: TopicMeters,
  { loggers, fs }: ServicesDependencies,
): BrokerServices {
  const { replicas, fetchSessions, groups, producerIds } = broker
  const { config, explicit, layout } = settings
  const topicCreation = new TopicCreator(
    { config, explicitConfig: explicit, listener: layout.interBrokerListener },
    { gateway: services.controller, logger: loggers.get('kafka.server.DefaultAutoTopicCreationManager') },
  )
  const own = { replicas, fetchSessions, groups, producerIds, topicCreation, topicMeters, logDirectories: logDirectories(broker, fs) }
  // Not spread: `config` is read anew at each access.
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(services)) as typeof own & NodeServices
}

function logDirectories({ logs }: BrokerSide, fs: NodeDependencies['fs']): LogDirectories {
  return {
    list: () => {
      const all = [...logs.logs()]
      return logs.directories.map(({ path, state }): LogDirectoryView => {
        const here = all.filter(({ directory }) => directory.startsWith(`${path}/`))
        const replicas = here.map((log) => ({
          topicPartition: log.topicPartition, sizeBytes: log.sizeBytes, offsetLag: Math.max(0, log.highWatermark - log.logEndOffset),
        }))
        const space = state === 'online' ? fs.space(path) : { totalBytes: -1, usableBytes: -1 }
        return { path, state, ...space, replicas }
      })
    },
  }
}

