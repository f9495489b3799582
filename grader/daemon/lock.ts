import { DatabaseSync } from 'node:sqlite'

/**
 * Takes a lock that the system itself frees when this process ends, however it ends. Returns false if another process
 * holds it. Node has no flock; an SQLite database locked for writing is the same thing by another name.
 */
export function holdLock(path: string): boolean {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy) return false
    throw error
  }
  held.push(database)
  return true
}

const busy = 5
/** A database that is collected gives up its lock. */
const held: DatabaseSync[] = []
