import { runTool } from '../../foreign/kafka-tools.ts'
import { session } from './session.ts'
import type { SessionStep } from './session.ts'

/** Runs the session against a cluster; a transcript reads like a terminal, with what differs from run to run replaced by names. */
export async function transcribe(bootstrap: string, onStep: (text: string) => void = () => {}): Promise<string> {
  let transcript = ''
  for (const step of session) {
    const text = await transcribeStep(step, bootstrap)
    onStep(text)
    transcript += `${text}\n`
  }
  return transcript
}

async function transcribeStep(step: SessionStep, bootstrap: string): Promise<string> {
  const args = step.args.flatMap((arg) => (arg === 'B' ? ['--bootstrap-server', bootstrap] : [arg]))
  const { stdout, stderr, exitCode } = await runTool(step.tool, args, step.input)
  const command = `$ ${step.tool} ${step.args.filter((arg) => arg !== 'B').join(' ')}`
  const output = step.outputVaries === true ? '' : normalize(step.unordered === true ? sortLines(stdout) : stdout)
  const errors = step.outputVaries === true ? '' : normalize(visibleErrors(stderr))
  return [command, output, errors === '' ? '' : `(stderr)\n${errors}`, `(exit ${exitCode})`].filter((part) => part !== '').join('\n')
}

/** Stack traces are the tool's own affair; the first line of an error says what the broker answered. */
function visibleErrors(stderr: string): string {
  return stderr.split('\n').filter((line) => !/^\s+at |^Caused by|^\[|^SLF4J|^WARNING|^\t/.test(line)).join('\n')
}

function sortLines(text: string): string {
  return text.split('\n').toSorted().join('\n').trimStart()
}

function normalize(text: string): string {
  return text
    .replaceAll(/\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d,\d+\]? ?/g, '')
    .replaceAll(/TopicId: [\w-]{22}/g, 'TopicId: <id>')
    .replaceAll(/Cluster ID: [\w-]{22}/g, 'Cluster ID: <id>')
    .replaceAll(/127\.0\.0\.1:\d+ +\(\d\)/g, '<coordinator>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<address>')
    .replaceAll(/[ \t]+$/gm, '')
    .trim()
}
