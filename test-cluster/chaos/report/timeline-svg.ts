/** The timeline of a run as a picture: faults, writes per second, and for each partition who led it and how many were in sync. */
import type { ChaosResult } from '../chaos-run.ts'
import { operations } from '../history/operation.ts'
import { isClean } from './verdict-text.ts'
import { leadershipChanges } from './leadership-timeline.ts'
import type { LeadershipChange } from './leadership-timeline.ts'

const LEFT = 130
const RIGHT = 30
const WIDTH_MIN = 1200
const PIXELS_PER_SECOND = 8
const FAULT_TOP = 64
const FAULT_HEIGHT = 26
const RATE_TOP = 118
const RATE_HEIGHT = 90
const ROWS_TOP = 246
const ROW_HEIGHT = 22
const ROW_STEP = 34
const GAP_MS_MIN = 500
const LEGEND_COLUMNS = 6

const NODE_COLORS = ['#3b6fb6', '#e08a2e', '#4f9d69', '#8a63b8', '#b8557a', '#5c8f94', '#9b7b4a']
/** Steps around the circle of colors that never come near each other. */
const GOLDEN_ANGLE = 137.5

class Scale {
  readonly fromMs: number
  readonly toMs: number
  readonly width: number

  constructor(fromMs: number, toMs: number) {
    this.fromMs = fromMs
    this.toMs = Math.max(toMs, fromMs + 1)
    this.width = Math.max(WIDTH_MIN - LEFT - RIGHT, ((toMs - fromMs) / 1000) * PIXELS_PER_SECOND)
  }

  x(ms: number): number {
    const clamped = Math.min(this.toMs, Math.max(this.fromMs, ms))
    return round(LEFT + ((clamped - this.fromMs) / (this.toMs - this.fromMs)) * this.width)
  }
}

export function timelineSvg(result: ChaosResult): string {
  const scale = new Scale(result.startedMs, result.endedMs)
  const changes = [...leadershipChanges(result.history)].sort(([a], [b]) => a.localeCompare(b))
  const rowsEnd = ROWS_TOP + changes.length * ROW_STEP
  const nemeses = [...new Set(result.faults.map(({ nemesis }) => nemesis))].sort()
  const width = LEFT + scale.width + RIGHT
  const height = rowsEnd + 34 + Math.ceil(nemeses.length / LEGEND_COLUMNS) * 20 + 60
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...heading(result), ...faultBands(result, scale, nemeses, rowsEnd), ...rates(result, scale),
    ...changes.flatMap(([key, of], row) => partitionRow(key, of, row, result, scale)),
    ...axis(scale, rowsEnd), ...legend(changes.map(([, of]) => of), nemeses, rowsEnd + 44),
    '</svg>', '',
  ].join('\n')
}

function heading({ seed, faults, startedMs, endedMs, ...rest }: ChaosResult): string[] {
  const verdict = isClean({ seed, faults, startedMs, endedMs, ...rest }) ? 'everything promised was kept' : 'BROKEN PROMISES'
  return [
    text(LEFT, 26, `Chaos run, seed ${seed}: ${faults.length} faults in ${((endedMs - startedMs) / 1000).toFixed(0)} s, ${verdict}`, 'font-size="17" font-weight="bold"'),
    text(LEFT, 46, 'Dark band: broken. Pale band: healed, replicas catching up. Row height: replicas in sync. Red: no acknowledged write for over half a second.', 'fill="#555"'),
  ]
}

function faultBands({ faults, startedMs }: ChaosResult, scale: Scale, nemeses: readonly string[], rowsEnd: number): string[] {
  return [text(LEFT - 10, FAULT_TOP + 17, 'faults', 'text-anchor="end"'), ...faults.flatMap((fault, index) => {
    const color = faultColor(nemeses, fault.nemesis)
    const from = scale.x(fault.fromMs)
    const healed = scale.x(fault.healedMs)
    const whole = scale.x(fault.wholeMs)
    const told = `${index + 1}. ${fault.nemesis} at ${((fault.fromMs - startedMs) / 1000).toFixed(1)} s: ${fault.description}`
    return [
      `<g><title>${escape(told)}</title>`,
      rect(from, FAULT_TOP, healed - from, FAULT_HEIGHT, `fill="${color}"`),
      rect(healed, FAULT_TOP, whole - healed, FAULT_HEIGHT, `fill="${color}" fill-opacity="0.35"`),
      rect(from, FAULT_TOP + FAULT_HEIGHT, healed - from, rowsEnd - FAULT_TOP - FAULT_HEIGHT, `fill="${color}" fill-opacity="0.10"`),
      ...(healed - from < 18 ? [] : [text(from + 3, FAULT_TOP + 17, String(index + 1), 'fill="#fff" font-size="11" font-weight="bold"')]),
      '</g>',
    ]
  })]
}

function rates({ history }: ChaosResult, scale: Scale): string[] {
  const seconds = Math.ceil((scale.toMs - scale.fromMs) / 1000)
  const perSecond = Array.from({ length: seconds }, () => 0)
  for (const { outcome, returnedMs, values } of operations(history, 'send')) {
    const second = Math.floor((returnedMs - scale.fromMs) / 1000)
    if (outcome === 'ok' && second >= 0 && second < seconds) perSecond[second]! += values.length
  }
  const most = Math.max(1, ...perSecond)
  const bottom = RATE_TOP + RATE_HEIGHT
  const points = perSecond.map((rate, second) => `${scale.x(scale.fromMs + second * 1000 + 500)},${round(bottom - (rate / most) * RATE_HEIGHT)}`)
  return [
    text(LEFT - 10, RATE_TOP + 12, `${most}/s`, 'text-anchor="end" fill="#555"'),
    text(LEFT - 10, bottom - 30, 'acknowledged', 'text-anchor="end"'), text(LEFT - 10, bottom - 14, 'records', 'text-anchor="end"'),
    `<polygon points="${LEFT},${bottom} ${points.join(' ')} ${LEFT + scale.width},${bottom}" fill="#3b6fb6" fill-opacity="0.25"/>`,
    `<polyline points="${points.join(' ')}" fill="none" stroke="#3b6fb6" stroke-width="1.5"/>`,
    `<line x1="${LEFT}" y1="${bottom}" x2="${LEFT + scale.width}" y2="${bottom}" stroke="#999"/>`,
  ]
}

function partitionRow(key: string, changes: readonly LeadershipChange[], row: number, { history }: ChaosResult, scale: Scale): string[] {
  const bottom = ROWS_TOP + row * ROW_STEP + ROW_HEIGHT
  const replicas = Math.max(1, ...changes.map(({ isr }) => isr.length))
  const bars = changes.map((change, index) => {
    const from = scale.x(change.atMs)
    const to = scale.x(changes[index + 1]?.atMs ?? scale.toMs)
    const height = round((Math.max(change.isr.length, 0.4) / replicas) * ROW_HEIGHT)
    const told = `${key}: leader ${change.leader}, epoch ${change.leaderEpoch}, in sync ${change.isr.join(', ')}`
    return `<rect x="${from}" y="${bottom - height}" width="${Math.max(0, round(to - from))}" height="${height}" fill="${nodeColor(change.leader)}"><title>${escape(told)}</title></rect>`
  })
  return [text(LEFT - 10, bottom - 6, key, 'text-anchor="end"'), ...bars, ...silences(key, bottom, history, scale)]
}

function silences(key: string, bottom: number, history: ChaosResult['history'], scale: Scale): string[] {
  const times = operations(history, 'send').filter((send) => send.key === key && send.outcome === 'ok').map(({ returnedMs }) => returnedMs).sort((a, b) => a - b)
  return times.flatMap((time, index) => {
    const previous = times[index - 1]
    if (previous === undefined || time - previous < GAP_MS_MIN) return []
    const width = Math.max(1.5, round(scale.x(time) - scale.x(previous)))
    const told = `${key}: ${(time - previous).toFixed(0)} ms without an acknowledged write`
    return [`<rect x="${scale.x(previous)}" y="${bottom + 2}" width="${width}" height="5" fill="#d00"><title>${escape(told)}</title></rect>`]
  })
}

function axis(scale: Scale, top: number): string[] {
  const seconds = (scale.toMs - scale.fromMs) / 1000
  const step = [5, 10, 30, 60, 300].find((one) => (one / seconds) * scale.width >= 60) ?? 600
  const marks: string[] = [`<line x1="${LEFT}" y1="${top + 2}" x2="${LEFT + scale.width}" y2="${top + 2}" stroke="#999"/>`]
  for (let second = 0; second <= seconds; second += step) {
    const x = scale.x(scale.fromMs + second * 1000)
    marks.push(`<line x1="${x}" y1="${top + 2}" x2="${x}" y2="${top + 7}" stroke="#999"/>`, text(x, top + 20, `${second} s`, 'text-anchor="middle" fill="#555"'))
  }
  return marks
}

function legend(rows: readonly (readonly LeadershipChange[])[], nemeses: readonly string[], top: number): string[] {
  const nodes = [...new Set(rows.flat().flatMap(({ leader, isr }) => [leader, ...isr]))].filter((nodeId) => nodeId >= 0).sort((a, b) => a - b)
  const ofNodes = [...nodes, -1].flatMap((nodeId, index) => swatch(LEFT + index * 110, top, nodeColor(nodeId), nodeId < 0 ? 'no leader' : `node ${nodeId} leads`))
  const ofFaults = nemeses.flatMap((nemesis, index) =>
    swatch(LEFT + (index % LEGEND_COLUMNS) * 170, top + 26 + Math.floor(index / LEGEND_COLUMNS) * 20, faultColor(nemeses, nemesis), nemesis))
  return [...ofNodes, ...ofFaults]
}

function swatch(x: number, y: number, color: string, label: string): string[] {
  return [rect(x, y - 10, 12, 12, `fill="${color}"`), text(x + 18, y, label)]
}

function nodeColor(nodeId: number): string {
  return nodeId < 0 ? '#222' : NODE_COLORS[(nodeId - 1 + NODE_COLORS.length) % NODE_COLORS.length]!
}

function faultColor(nemeses: readonly string[], nemesis: string): string {
  return `hsl(${Math.round((nemeses.indexOf(nemesis) * GOLDEN_ANGLE) % 360)}, 50%, 42%)`
}

function rect(x: number, y: number, width: number, height: number, style: string): string {
  return `<rect x="${x}" y="${y}" width="${Math.max(0, round(width))}" height="${height}" ${style}/>`
}

function text(x: number, y: number, content: string, style = ''): string {
  return `<text x="${x}" y="${y}" ${style}>${escape(content)}</text>`
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
