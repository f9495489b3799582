import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hostImage } from '#sandbox/image.ts'
import { isolation } from '#sandbox/isolation.ts'
import { hostPool, type HostPool } from '#sandbox/pool.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { acquire, type Lease } from '#services/services.ts'
import { learners, type Learner } from './learner.ts'
import { openRun, type Lane, type Run } from './run.ts'
import { exploreSchedules, type SchedulePlan } from './schedules.ts'

withOwnKeeper({ KIT_SERVICES: 'processes' })

const SUBMISSION = `
export const push = (redis, name) => redis.rpush('order', name)
export const pushLate = async (redis, name, ms) => { await new Promise((resolve) => { setTimeout(resolve, ms) }); await redis.rpush('order', name) }
export const send = async (redis, times, name, ...args) => { for (let i = 0; i < times; i++) await redis.call(name, ...args) }
export const echo = (value) => value
`

let folder: string
let pool: HostPool
let lease: Lease
let run: Run

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'schedules-'))
  pool = await hostPool(isolation(), await hostImage(), folder, 0)
  lease = await acquire({ redis: 1, kafka: false })
  run = openRun({ code: SUBMISSION, sourceMap: '{"version":3,"sources":[],"names":[],"mappings":""}', redis: lease.redis, kafka: null }, pool)
})
afterAll(async () => {
  await run.close()
  await Promise.all([pool.close(), lease.release()])
  fs.rmSync(folder, { recursive: true, force: true })
})

/** The orders in which the pushes of all callers reached Redis, as they were tried. */
async function ordersOf(callers: SchedulePlan<void>['callers'], limit?: number): Promise<string[]> {
  const lane: Lane = await run.lanes.take()
  const world = learners(run, lane, 'orders', new Set())
  try {
    const orders: string[] = []
    await exploreSchedules({ callers, ...(limit && { limit }), holds: async () => { orders.push((await lane.admin.lrange('order', 0, -1)).join(' ')) } }, () => world.start(), lane)
    return orders
  } finally {
    await world.close()
    run.lanes.give(lane)
  }
}

const push = (learner: Learner, name: string): Promise<unknown> => learner.call('push', learner.redis, name)

const twice = (name: string) => async (learner: Learner): Promise<void> => {
  await push(learner, `${name}1`)
  await push(learner, `${name}2`)
}

test('every order of two calls is tried, once', async () => {
  expect((await ordersOf([twice('a'), twice('b')])).toSorted()).toEqual(
    ['a1 a2 b1 b2', 'a1 b1 a2 b2', 'a1 b1 b2 a2', 'b1 a1 a2 b2', 'b1 a1 b2 a2', 'b1 b2 a1 a2'])
})

test('orders that switch less between the callers come first', async () => {
  const switches = (order: string): number => order.match(/a. (?=b)|b. (?=a)/g)!.length
  expect((await ordersOf([twice('a'), twice('b')])).map(switches)).toEqual([1, 1, 2, 2, 3, 3])
})

test('who talks to its check for long between two commands is not passed over as blocked', async () => {
  const talkative = async (learner: Learner): Promise<void> => {
    await push(learner, 'a1')
    for (const start = performance.now(); performance.now() - start < 150;) await learner.call('echo', 1)
    await push(learner, 'a2')
  }
  expect((await ordersOf([talkative, (learner) => push(learner, 'b')])).toSorted()).toEqual(['a1 a2 b', 'a1 b a2', 'b a1 a2'])
})

test('who pauses before it begins is waited for', async () => {
  const late = (learner: Learner): Promise<unknown> => learner.call('pushLate', learner.redis, 'b', 200)
  expect((await ordersOf([twice('a'), late])).toSorted()).toEqual(['a1 a2 b', 'a1 b a2', 'b a1 a2'])
})

const behind = (times: number, command: string[], name: string) => async (learner: Learner): Promise<void> => {
  await learner.call('send', learner.redis, times, ...command)
  await twice(name)(learner)
}

test('commands that change and read nothing make no orders of their own', async () => {
  expect((await ordersOf([behind(50, ['PING'], 'a'), behind(50, ['ECHO', 'x'], 'b')])).toSorted()).toEqual(
    ['a1 a2 b1 b2', 'a1 b1 a2 b2', 'a1 b1 b2 a2', 'b1 a1 a2 b2', 'b1 a1 b2 a2', 'b1 b2 a1 a2'])
})

test('who hides behind so many commands that the simplest orders are too many is not passed', async () => {
  await expect(ordersOf([behind(15, ['GET', 'nothing'], 'a'), behind(15, ['GET', 'nothing'], 'b')], 20)).rejects.toThrow(/not even the simplest/)
})
