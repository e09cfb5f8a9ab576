/**
 * Topic ids between their text and their 16 bytes. Every entry of every frame has one, and there are few of them: each is converted once,
 * and after that a text that is read is the same string each time, so that no map hashes it anew.
 */
import { assert } from '@kavka/kernel'
import { uuidAt, writeUuid } from '@kavka/protocol'
import type { Uuid } from '@kavka/protocol'

/** Beyond it everything is forgotten and learned again. */
export const TOPIC_IDS_REMEMBERED_MAX = 16_384

const UUID_BYTES = 16

interface TopicId {
  readonly text: Uuid
  readonly words: readonly [number, number, number, number]
}

export class TopicIdMemo {
  readonly #byText = new Map<Uuid, TopicId>()
  /** By the first four bytes; of two topics that begin alike one is remembered. */
  readonly #byFirstWord = new Map<number, TopicId>()

  write(target: Buffer, at: number, text: Uuid): void {
    const known = this.#byText.get(text)
    if (known === undefined) {
      assert(writeUuid(target, at, text), 'topic id is no uuid', { topicId: text })
      this.#remember(target, at, text)
      return
    }
    const { words } = known
    target.writeInt32BE(words[0], at)
    target.writeInt32BE(words[1], at + 4)
    target.writeInt32BE(words[2], at + 8)
    target.writeInt32BE(words[3], at + 12)
  }

  /** Of 16 bytes that are there. */
  read(bytes: Buffer, at: number): Uuid {
    const known = this.#byFirstWord.get(bytes.readInt32BE(at))
    if (known !== undefined) {
      const { words } = known
      const isSame = bytes.readInt32BE(at + 4) === words[1] && bytes.readInt32BE(at + 8) === words[2] && bytes.readInt32BE(at + 12) === words[3]
      if (isSame) return known.text
    }
    const text = uuidAt(bytes, at)
    this.#remember(bytes, at, text)
    return text
  }

  #remember(bytes: Buffer, at: number, text: Uuid): void {
    assert(at + UUID_BYTES <= bytes.length, 'a topic id has 16 bytes', { at })
    if (this.#byText.size >= TOPIC_IDS_REMEMBERED_MAX) {
      this.#byText.clear()
      this.#byFirstWord.clear()
    }
    const words = [bytes.readInt32BE(at), bytes.readInt32BE(at + 4), bytes.readInt32BE(at + 8), bytes.readInt32BE(at + 12)] as const
    const topicId = { text, words }
    this.#byText.set(text, topicId)
    this.#byFirstWord.set(words[0], topicId)
  }
}
