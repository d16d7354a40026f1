// SPDX-License-Identifier: MIT
// openid_provider.mjs FOLDER PORT CLIENT SECRET: an OpenID provider made with npm's oidc-provider, which is in FOLDER.
// It does not ask for consent. Its login page is one form: POST user and password, or deny=1.
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const [folder, port, client_id, client_secret] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`));
const people = {
  alice: { password: 'alice-fake-canary-5e1d07', groups: ['dba'] },
  bob: { password: 'bob-fake-canary-91c3aa', groups: ['guest'] },
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id, client_secret, grant_types: ['authorization_code', 'implicit'], response_types: ['code', 'id_token'],
    application_type: 'native', // so that the redirect URI may have any port
    redirect_uris: ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}/oidc/callback`),
  }],
  claims: { openid: ['sub'], email: ['email'], groups: ['groups'] },
  scopes: ['openid', 'email', 'groups'],
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => false },
  responseTypes: ['code', 'id_token'],
  cookies: { keys: ['fake'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
  interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
  findAccount: (_, id) => people[id] && {
    accountId: id, claims: () => ({ sub: id, email: `${id}@example.test`, groups: people[id].groups }),
  },
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid email groups');
    await grant.save();
    return grant;
  },
});

const form = `<!doctype html><title>Sign in</title><form method="post"><input name="user"><input name="password" type="password">
<button>Sign in</button><button name="deny" value="1">Deny</button></form>`;

async function interact(req, res) {
  if (req.method !== 'POST') return res.end(form);
  let body = '';
  for await (const piece of req) body += piece;
  const form_data = new URLSearchParams(body);
  if (form_data.get('deny')) return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'End-User aborted interaction' });
  const person = people[form_data.get('user')];
  if (!person || person.password !== form_data.get('password')) {
    res.statusCode = 401;
    return res.end(form);
  }
  return provider.interactionFinished(req, res, { login: { accountId: form_data.get('user') }, consent: {} });
}

const others = provider.callback();
http.createServer((req, res) => {
  if (!req.url.startsWith('/login/')) return others(req, res);
  return interact(req, res).catch((error) => { res.statusCode = 400; res.end(String(error)); });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
