// The thread pool: workers sleep on a condition and take chunks by an atomic counter.
// SPDX-License-Identifier: Apache-2.0
#include "ck_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ck_pool {
    int threads;
    pthread_t *handles;
    pthread_mutex_t busy;  // held by the thread whose loop is running
    pthread_mutex_t lock;
    pthread_cond_t start, finish;
    unsigned long generation;
    int pending, stopping;
    ck_loop_body body;
    void *context;
    long n, chunk;
    atomic_long next;
};

typedef struct {
    ck_pool *pool;
    int index;
} worker_argument;

static void run_chunks(ck_pool *pool, int worker) {
    for (;;) {
        long begin = atomic_fetch_add_explicit(&pool->next, pool->chunk, memory_order_relaxed);
        if (begin >= pool->n) return;
        long end = begin + pool->chunk < pool->n ? begin + pool->chunk : pool->n;
        pool->body(pool->context, begin, end, worker);
    }
}

static void *worker_main(void *raw) {
    worker_argument argument = *(worker_argument *)raw;
    free(raw);
    ck_pool *pool = argument.pool;
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->generation == seen && !pool->stopping) {
            pthread_cond_wait(&pool->start, &pool->lock);
        }
        if (pool->stopping) break;
        seen = pool->generation;
        pthread_mutex_unlock(&pool->lock);
        run_chunks(pool, argument.index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->pending == 0) pthread_cond_signal(&pool->finish);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

ck_pool *ck_pool_create(int threads) {
    if (threads < 1) threads = 1;
    ck_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->handles = calloc((size_t)threads, sizeof *pool->handles);
    if (!pool->handles) {
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->busy, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->finish, NULL);
    pool->threads = 1;
    for (int i = 1; i < threads; i++) {
        worker_argument *argument = malloc(sizeof *argument);
        if (!argument) break;
        *argument = (worker_argument){pool, i};
        if (pthread_create(&pool->handles[i], NULL, worker_main, argument) != 0) {
            free(argument);
            break;
        }
        pool->threads = i + 1;
    }
    return pool;
}

void ck_pool_destroy(ck_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = 1;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; i++) pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->start);
    pthread_cond_destroy(&pool->finish);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->busy);
    free(pool->handles);
    free(pool);
}

int ck_pool_threads(const ck_pool *pool) { return pool->threads; }

void ck_parallel_for(ck_pool *pool, long n, long grain, ck_loop_body body, void *context) {
    if (n <= 0) return;
    if (grain < 1) grain = 1;
    // A loop of few chunks costs less than waking anybody; a nested or competing one must not wait.
    if (!pool || pool->threads == 1 || n <= grain || pthread_mutex_trylock(&pool->busy) != 0) {
        body(context, 0, n, 0);
        return;
    }
    // Four chunks a worker even out uneven bodies and a stolen core.
    long chunk = (n + 4L * pool->threads - 1) / (4L * pool->threads);
    if (chunk < grain) chunk = grain;
    pthread_mutex_lock(&pool->lock);
    pool->body = body;
    pool->context = context;
    pool->n = n;
    pool->chunk = chunk;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->pending = pool->threads - 1;
    pool->generation++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    run_chunks(pool, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->pending > 0) pthread_cond_wait(&pool->finish, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    pthread_mutex_unlock(&pool->busy);
}
