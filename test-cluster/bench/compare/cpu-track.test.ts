import { CpuTrack } from './cpu-track.ts'

function track(): CpuTrack {
  const samples = new CpuTrack()
  samples.add(1000, 5)
  samples.add(2000, 6)
  samples.add(3000, 10)
  return samples
}

test('what was used between two moments is read off the samples around them', () => {
  expect(track().between(1000, 3000)).toBe(5)
  expect(track().between(1500, 2500)).toBe(2.5)
  expect(track().between(2000, 2000)).toBe(0)
})

test('outside of the samples nothing was used', () => {
  expect(track().between(0, 1000)).toBe(0)
  expect(track().between(0, 9000)).toBe(5)
  expect(track().between(3000, 9000)).toBe(0)
  expect(new CpuTrack().between(0, 1)).toBe(0)
})
