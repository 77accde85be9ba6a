/** How a shop's server signs who its customer is. The same stands in docs/guide/widget.md, where a test runs it. */
export const SAMPLES = {
  "Node.js": `import { createHmac } from "node:crypto";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function kefuToken(user, shop, secret) {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const claims = { sub: String(user.id), name: user.name, email: user.email, aud: shop, exp };
  const content = part({ alg: "HS256", typ: "JWT" }) + "." + part(claims);
  return content + "." + createHmac("sha256", secret).update(content).digest("base64url");
}`,
  Python: `import base64, hashlib, hmac, json, time


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def kefu_token(user, shop, secret):
    claims = {
        "sub": str(user["id"]),
        "name": user["name"],
        "email": user["email"],
        "aud": shop,
        "exp": int(time.time()) + 3600,
    }
    content = part({"alg": "HS256", "typ": "JWT"}) + "." + part(claims)
    signature = hmac.new(secret.encode(), content.encode(), hashlib.sha256).digest()
    return content + "." + base64.urlsafe_b64encode(signature).decode().rstrip("=")`,
  PHP: `function kefu_part(string $bytes): string {
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

function kefu_token(array $user, string $shop, string $secret): string {
    $claims = ['sub' => (string) $user['id'], 'name' => $user['name'], 'email' => $user['email'], 'aud' => $shop, 'exp' => time() + 3600];
    $content = kefu_part(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' . kefu_part(json_encode($claims));
    return $content . '.' . kefu_part(hash_hmac('sha256', $content, $secret, true));
}`,
} as const;

export type Language = keyof typeof SAMPLES;

export const IN_PAGE = `FiidoKefu.identify(token);   // who is signed in
FiidoKefu.logout();          // when they sign out of the shop`;
