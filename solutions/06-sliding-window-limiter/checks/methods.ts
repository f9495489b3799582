/** What only asks. */
export const QUESTIONS = ['getRemainingRequests', 'getResetTime']

/** Every method; each takes a user id. */
export const METHODS = ['isAllowed', ...QUESTIONS]
