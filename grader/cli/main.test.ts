import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { kitFolder, listExercises } from '#catalog/exercise.ts'
import { reportSchema, reportsSchema } from '#report/schema.ts'

const number = String(listExercises()[0]!.number)
const syntaxError = join(kitFolder, 'fixtures', 'static', 'syntax-error.ts')

test.concurrent.each([
  [['exercise', number, '--tutoral'], 'exercise has no flag --tutoral. Did you mean --tutorial?'],
  [['grade', '--solution'], 'grade has no flag --solution. Did you mean --solutions?'],
  [['exersice', number], 'There is no command "exersice". Did you mean: npm run exercise'],
  [['exercise'], 'Which exercise? For example: npm run exercise 6'],
  [['exercise', 'no-such-topic'], 'There is no exercise "no-such-topic".'],
  [['exercise', '1', '6'], 'For several: npm run grade 1 6'],
  [['exercise', number, '--lang', 'fr'], "'fr' is invalid. Allowed choices are en, vi."],
  [['exercise', number, '--submission'], 'argument missing'],
  [['exercise', number, '--submission', 'nowhere.ts'], 'There is nothing at nowhere.ts.'],
  [['exercise', number, '--solution', '--tutorial'], '--solution and --tutorial both say what to grade.'],
  [['exercise', number, '--tutoral', '--lang', 'vi'], 'Có phải ý bạn là --tutorial?'],
])('%j is a wrong command: exit code 2 and one sentence', async (args, message) => {
  const { exitCode, stdout, stderr } = await kit(args)
  expect(stderr).toContain(message)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(exitCode).toBe(2)
})

test.concurrent('help is short of nothing and comes without loading the grader', async () => {
  const { exitCode, stdout } = await kit(['exercise', '--help'])
  for (const flag of ['--json', '--submission', '--solution', '--tutorial', '--hint', '--lang', '--services']) {
    expect(stdout).toContain(flag)
  }
  expect(exitCode).toBe(0)
  expect((await kit(['--help', '--lang', 'vi'])).stdout).toContain('Các lệnh:')
})

test.concurrent('a broken submission is one JSON document on stdout and exit code 1', async () => {
  const { exitCode, stdout } = await kit(['exercise', number, '--json', '--submission', syntaxError])
  expect(reportSchema.parse(JSON.parse(stdout)).exercises).toMatchObject([{ state: 'broken', score: 0, checks: [] }])
  expect(exitCode).toBe(1)
})

test.concurrent('of several submissions a missing one is broken, and the next is graded all the same', async () => {
  const submissions = ['--submission', 'nowhere.ts', '--submission', syntaxError]
  const { exitCode, stdout } = await kit(['grade', number, '--json', ...submissions])
  const { reports } = reportsSchema.parse(JSON.parse(stdout))
  expect(reports.map(({ submission, exercises: [one] }) => [submission, one!.state, one!.message])).toEqual([
    ['nowhere.ts', 'broken', 'There is nothing at nowhere.ts.'],
    [syntaxError, 'broken', expect.stringContaining('syntax-error.ts:3:29')],
  ])
  expect(exitCode).toBe(1)
})

test.concurrent('flags that npm kept for itself are honoured', async () => {
  const env = { npm_lifecycle_event: 'exercise', npm_config_json: 'true', npm_config_submission: syntaxError }
  const { stdout } = await kit(['exercise', number], env)
  expect(reportSchema.parse(JSON.parse(stdout)).exercises[0]!.state).toBe('broken')
})

test.concurrent('an error that nobody awaits has the exit code of the kit\'s own failures, not that of a grade', async () => {
  const lose = 'const t = setInterval(() => { if (process.listenerCount("uncaughtException") > 0) { clearInterval(t); throw new Error("lost") } }, 1)'
  const { exitCode, stderr } = await kit(['services', 'status', '--lang', 'vi'], { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(lose)}` })
  expect(stderr).toContain('Lỗi ở chính bộ bài tập, không phải ở mã của bạn: lost')
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(exitCode).toBe(3)
})

function kit(args: readonly string[], env: Record<string, string> = {}) {
  return execa('node', [join(kitFolder, 'grader', 'cli', 'main.mjs'), ...args], {
    cwd: kitFolder,
    reject: false,
    timeout: 20_000,
    extendEnv: false,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'en_US.UTF-8', ...env },
  })
}
