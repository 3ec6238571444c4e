import { expect, test } from 'vitest'
import { createRequestMetrics } from './request-metrics.ts'

test('counts by route, method and status, and sums up in buckets', () => {
  const metrics = createRequestMetrics()
  metrics.record('GET', '/v2/', 200, 0.4)
  metrics.record('GET', '/v2/', 200, 0.5)
  metrics.record('GET', '/v2/', 404, 30)
  metrics.record('GET', '/v2/', 200, 60_000)
  metrics.record('BREW', 'none', 404, 1)
  const lines = metrics.text().split('\n')
  const labels = 'method="GET",route="/v2/"'
  expect(lines).toContain(`stowage_http_requests_total{${labels},status="200"} 3`)
  expect(lines).toContain(`stowage_http_requests_total{${labels},status="404"} 1`)
  expect(lines).toContain('stowage_http_requests_total{method="other",route="none",status="404"} 1')
  const bucket = (bound: string): string | undefined =>
    lines
      .find((line) => line.startsWith(`stowage_http_request_duration_seconds_bucket{${labels},le="${bound}"}`))
      ?.split(' ')[1]
  // Cumulative, and a bound belongs to its bucket.
  expect(['0.0005', '0.025', '0.05', '10', '+Inf'].map(bucket)).toEqual(['2', '2', '3', '3', '4'])
  expect(lines).toContain(`stowage_http_request_duration_seconds_count{${labels}} 4`)
  expect(lines.find((line) => line.includes(`_sum{${labels}}`))).toMatch(/ 60\.03/)
})

test('an unknown method makes no series of its own', () => {
  const metrics = createRequestMetrics()
  for (let index = 0; index < 100; index++) metrics.record(`M${index}`, 'none', 404, 1)
  expect(metrics.text().match(/_total\{/g)).toHaveLength(1)
})

test('refusals are counted by why', () => {
  const metrics = createRequestMetrics()
  for (const fault of ['denied', 'storage-full', 'denied']) metrics.refuse(fault)
  const lines = metrics.text().split('\n')
  expect(lines).toContain('stowage_http_refusals_total{reason="denied"} 2')
  expect(lines).toContain('stowage_http_refusals_total{reason="storage-full"} 1')
})
