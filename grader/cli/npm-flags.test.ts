import { expect, test } from 'vitest'
import { CommandError } from '#catalog/command-error.ts'
import { flagsKeptByNpm, withoutStrayLanguage } from './npm-flags.ts'

const inNpm = { npm_lifecycle_event: 'exercise' }

test.each([
  [{ npm_config_tutorial: 'true' }, ['--tutorial']],
  [{ npm_config_services: 'processes' }, ['--services=processes']],
  [{ npm_config_tutorial: 'false', npm_config_solution: '' }, []],
  [{ npm_config_registry: 'somewhere', npm_config_watch: 'true' }, []],
])('of %j these flags are ours: %j', (env, expected) => {
  expect(flagsKeptByNpm(['exercise', '6'], { ...inNpm, ...env })).toEqual(expected)
})

test('what was typed wins over what npm kept', () => {
  const env = { ...inNpm, npm_config_services: 'external', npm_config_json: 'true' }
  expect(flagsKeptByNpm(['exercise', '6', '--services=processes', '--json'], env)).toEqual([])
})

test('variables of an npm that runs something else are left alone', () => {
  expect(flagsKeptByNpm(['exercise', '6'], { npm_lifecycle_event: 'test', npm_config_json: 'true' })).toEqual([])
})

test('a value that npm lost is asked for again', () => {
  expect(() => flagsKeptByNpm(['exercise', '6'], { ...inNpm, npm_config_services: 'true' })).toThrow(CommandError)
})

test('--lang, which npm takes for four flags of its own, is put together again', () => {
  const env = { ...inNpm, npm_config_long: 'true', npm_config_all: 'true', npm_config_global: 'true' }
  const args = ['exercise', '6', 'vi']
  expect(flagsKeptByNpm(args, env)).toEqual(['--lang=vi'])
  expect(withoutStrayLanguage(args, env)).toEqual(['exercise', '6'])
  expect(withoutStrayLanguage(args, inNpm)).toEqual(args)
})
