/** What the handlers of the group and offset APIs work with; a part of the node's services. */
import type { MetadataImage } from '@kavka/controller'
import type { GroupCoordinator } from '../../groups/group-coordinator-api.ts'
import type { Authorizer } from '../../security/authorizer.ts'

export interface GroupServices {
  readonly groups: GroupCoordinator
  readonly authorizer: Authorizer
  /** The newest metadata image that this node has replayed. */
  image(): MetadataImage
}
