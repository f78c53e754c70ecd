/** What a person does on a provider's pages: fills in and sends what is there, or turns back. */
type Manner = 'agrees' | 'cancels';

/** Follows redirects as a browser with cookies does, and sends the forms on its way, up to the redirect that leaves the origin. */
export const walkToCallback = async (start: string, manner: Manner = 'agrees'): Promise<URL> => {
  const cookies = new Map<string, string>();
  const { origin } = new URL(start);
  let request = new Request(start);
  for (let steps = 0; steps < 12; steps += 1) {
    const sent = new Request(request, { redirect: 'manual' });
    sent.headers.set('Cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(sent);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const page = await response.text();
    const location = response.headers.get('Location');
    if (location) {
      const url = new URL(location, request.url);
      if (url.origin !== origin) return url;
      request = new Request(url);
    } else {
      if (response.status !== 200) throw new Error(`The provider answered ${response.status}: ${page}`);
      request = manner === 'agrees' ? submissionOf(page, request.url) : cancellationOf(page, request.url);
    }
  }
  throw new Error('The provider goes in circles');
};

/** The page's form with what is filled in already, and a password. */
const submissionOf = (page: string, base: string): Request => {
  const [form] = /<form[^>]*>.*?<\/form>/s.exec(page) ?? [];
  if (!form) throw new Error(`There is no form: ${page}`);
  const fields = [...form.matchAll(/<input[^>]*>/g)].map(([input]): [string, string] => [
    attributeOf(input, 'name'),
    attributeOf(input, 'type') === 'password' ? 'secret' : attributeOf(input, 'value'),
  ]);
  return new Request(new URL(attributeOf(form, 'action'), base), {
    method: 'POST',
    body: new URLSearchParams(fields),
  });
};

const cancellationOf = (page: string, base: string): Request => {
  const [link] = /<a [^>]*>\[ Cancel \]/.exec(page) ?? [];
  if (!link) throw new Error(`There is no way back: ${page}`);
  return new Request(new URL(attributeOf(link, 'href'), base));
};

const attributeOf = (tag: string, name: string): string =>
  new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&') ?? '';
