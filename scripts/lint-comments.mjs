/** ESLint rules for comments: what is left to do has a number, what is switched off has a reason. */

const UNNUMBERED = /\b(?:TODO|FIXME|XXX)\b(?!\s*\(#\d+\))/;
const SUPPRESSION = /^\s*eslint-disable/;

function commentRule(message, isWrong) {
  return {
    meta: { type: 'suggestion', schema: [], messages: { wrong: message } },
    create: (context) => ({
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (isWrong(comment.value)) context.report({ loc: comment.loc, messageId: 'wrong' });
        }
      },
    }),
  };
}

export const commentRules = {
  'todo-has-number': commentRule('Say which issue: "TODO (#12): …".', (text) => UNNUMBERED.test(text)),
  'suppression-has-reason': commentRule(
    'Say why: "eslint-disable-next-line rule -- reason".',
    (text) => SUPPRESSION.test(text) && !/\s--\s+\S/.test(text),
  ),
};
