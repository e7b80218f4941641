// oidc-provider with a sign-in that needs no form: `login_hint` is not used, the test says who sits at the browser.
// Usage: node serve.js PORT REDIRECT_URI; prints {"issuer"} once; each line on stdin is the person who signs in next.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const [port, redirectUri] = process.argv.slice(2);
let person = { sub: 'nobody', email: 'nobody@accueil.example', email_verified: true, name: 'Nobody' };
createInterface({ input: process.stdin }).on('line', (line) => { person = JSON.parse(line); process.stdout.write('ok\n'); });

const server = createServer();
server.listen(Number(port), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'accueil', client_secret: 'secret-of-the-test', redirect_uris: [redirectUri] }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: async (_context, sub) => ({ accountId: sub, claims: async () => ({ ...person, sub }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    const { prompt, params, grantId } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: person.sub } });
    }
    const grant = grantId ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: person.sub, clientId: params.client_id });
    grant.addOIDCScope('openid email profile');
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  });
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
});
