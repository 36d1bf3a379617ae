/** What the examples of the API documents refer to; the schedules exist on a fresh embedded start. */
export const EXAMPLE_SCHEDULE = 'sch_00000000000070008000000000000001';
/** One to delete. */
export const EXAMPLE_OLD_SCHEDULE = 'sch_00000000000070008000000000000002';

/** What an example schedule starts. */
export const exampleScheduledRun = { workflow: { name: 'welcome' }, input: { name: 'Ada' } };
