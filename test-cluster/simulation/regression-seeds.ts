/** Seeds that failed once, with what they found. They stay for ever: the cheapest memory of a bug. */
export interface RegressionSeed {
  readonly seed: number
  readonly found: string
}

export const regressionSeeds: readonly RegressionSeed[] = [
  { seed: 9, found: 'P3: a broker that was killed and started again led on the metadata of its last life and committed its tail alone' },
  { seed: 26, found: 'P10: the same with a new disk: followers were made to cut what they held to nothing' },
  { seed: 13, found: 'P13: the same, appending with leader epochs of the past' },
  { seed: 46, found: 'P10: the same on four nodes' },
  { seed: 78, found: 'L1: a topic deleted and created again while a broker was down stayed offline there' },
  { seed: 71, found: 'S2: names that a killed process had not synced were lost in a power cut with the records synced under them' },
  { seed: 2_123_265_179, found: 'P16: a topic created again took over the checkpointed high watermark of its predecessor' },
  { seed: 300_055, found: 'P16: the same' },
  { seed: 1019, found: 'S2: a segment that was made again in place of a lost one was synced without its name' },
  { seed: 155, found: 'P9, a false alarm: what a disk had held before it rotted was not counted' },
  { seed: 2_123_996_905, found: 'L1: what replaced a cut tail of the same length was not told as durable, so a follower stayed out of sync' },
  { seed: 199, found: 'S2, a false alarm: the sync of a killed process failed unseen, and nobody was told' },
  { seed: 495, found: 'P2, a false alarm: rolling kills went on while the only other copy was on a wiped disk' },
  { seed: 800_157, found: 'R18: a sector that could not be read was thrown out of an append instead of taking the log directory offline' },
  { seed: 820_206, found: 'P2, a false alarm: a failure that was armed before hit the only good copy while another disk was damaged' },
  { seed: 830_000, found: 'L1, a false alarm: damage that shows only after healing was not repaired by anybody' },
  { seed: 840_300, found: 'P14, a false alarm: two changes of a partition in one entry were taken for one' },
  { seed: 2_135_866_648, found: 'P2, a false alarm: healing kept a voter down while the other copy was on a disk that had lost synced writes' },
  { seed: 2_135_863_984, found: 'P11: a log start that was not recorded before a kill fell back behind the epochs that it had dropped' },
  { seed: 2_135_865_150, found: 'P11: the same' },
  { seed: 2_135_865_325, found: 'P9, a false alarm: a process that ended before it had synced what it found made forget what its predecessor had synced' },
  { seed: 3_000_000_508, found: 'P2, a false alarm: a disk rotted while the only other copy was about to stop' },
  { seed: 3_300_000_115, found: 'G3: a broker that had been cut off was counted in again before it knew that others led, and told offsets of the past' },
  { seed: 3_300_000_092, found: 'P14, a false alarm: a reassignment ends in the step that takes back who leads then' },
  { seed: 3_300_000_038, found: 'C7, a false alarm: the same' },
  { seed: 3_500_000_122, found: 'C7, a false alarm: who registers in the same entry in which somebody else was fenced a step before' },
  { seed: 4_200_000_691, found: 'P2: a last known leader that a canceled reassignment had taken away was elected, with nothing, when it was added again' },
  { seed: 4_200_000_135, found: 'R17: a controller that had been replaced and did not know told that a topic was not there' },
  { seed: 4_000_000_111, found: 'L1, a false alarm: the double of a static member took what it was to give up cooperatively with it' },
  { seed: 47, found: 'L1, a false alarm: a static member died after it had given up shares and before it asked for the next round (KIP-345, KIP-429)' },
  { seed: 5_000_000_030, found: 'P18, a false alarm: a node had read that a replica was gone, and had yet to act on it' },
  { seed: 2_145_878_889, found: 'G2, a false alarm: a coordinator that was replaced while it stood still ended a round of joins that nobody could sync' },
  { seed: 20_545, found: 'P13: retention renamed a segment of an idle log without a sync; a power cut brought it back without the next, and recovery cut off what was behind' },
  { seed: 20_364, found: 'S4: the names of an expired segment and of its indexes were lost apart' },
  { seed: 7025, found: 'T2: a truncation forgot the producers of records below the log start, which fell back to them with the next kill' },
]
