// An OpenID provider that tests log in at. Whoever asks is the user named in `login_hint`'s stead
// by its development pages: any login with any password.
//
// argv: JSON {"clients": [...], "ttl": SECONDS}; prints the port it listens on.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const port = server.address().port;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: settings.clients,
    cookies: { keys: ["only for tests"] },
    claims: { openid: ["sub"], email: ["email"] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@books.test` }),
    }),
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    pkce: { required: () => true },
    ttl: {
      AccessToken: settings.ttl,
      IdToken: settings.ttl,
      ClientCredentials: settings.ttl,
      RefreshToken: 3600,
    },
    scopes: ["openid", "offline_access", "email", "read", "write"],
  });
  server.on("request", provider.callback());
  console.log(port);
});
process.stdin.on("end", () => process.exit(0)).resume();
