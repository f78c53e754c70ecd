/** What can be told from an answer, but for what differs between any two. */
export const answerOf = async (response: Response) => {
  const headers = [...response.headers].filter(([name]) => name !== 'x-request-id');
  const text = await response.text();
  return { status: response.status, headers, body: text.replace(/"urn:request:\w+"/, '""') };
};
