// A fixed pool of worker threads with a parallel loop. SPDX-License-Identifier: Apache-2.0
#pragma once

typedef struct ck_pool ck_pool;

/// The body of a parallel loop: handles [begin, end) as worker `worker` (0 = the caller).
typedef void (*ck_loop_body)(void *context, long begin, long end, int worker);

/// Creates a pool of `threads` workers, the calling thread counted; at least 1. NULL when out of memory.
ck_pool *ck_pool_create(int threads);

/// Ends the workers and frees the pool. No loop may be running.
void ck_pool_destroy(ck_pool *pool);

/// Workers, the caller counted.
int ck_pool_threads(const ck_pool *pool);

/// Runs `body` over [0, n) in chunks of at least `grain` iterations and returns when all are done.
/// A loop started while another thread uses the pool, or from inside a body, runs on its caller alone.
void ck_parallel_for(ck_pool *pool, long n, long grain, ck_loop_body body, void *context);
