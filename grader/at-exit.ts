const actions = new Set<() => void>()

/** Runs a synchronous action when this process exits, unless it was called off; one listener serves all. */
export function atExit(action: () => void): { callOff(): void } {
  if (actions.size === 0) process.on('exit', runAll)
  actions.add(action)
  return {
    callOff() {
      actions.delete(action)
      if (actions.size === 0) process.off('exit', runAll)
    },
  }
}

function runAll(): void {
  for (const action of actions) action()
}
