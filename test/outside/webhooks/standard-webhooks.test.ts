import { expect, it } from 'vitest';
import { signMessage } from '../../../src/outside/webhooks/standard-webhooks.ts';

it('signs the specification’s example as the specification does', async () => {
  const body = '{"test": 2432232314}';
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  expect(await signMessage(body, { id, secrets: [secret], now: 1_614_265_330_999 })).toEqual({
    body,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
  });
});
