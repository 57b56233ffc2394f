/** Why a connection could not be made. An AggregateError, one error per address tried, has no words of its own. */
export function connectReason(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one: Error) => one.message).join('; ');
  return error.message;
}
