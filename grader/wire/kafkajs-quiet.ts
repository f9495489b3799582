import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * kafkajs looks at its request queue every millisecond, for ever, and on recent Node warns about negative timeouts
 * while doing so: with nothing pending there is nothing to look at.
 */
export function quietRequestQueue(): void {
  const { prototype } = RequestQueue
  const look = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) look.call(this)
  }
}
