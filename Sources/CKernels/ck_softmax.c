// Softmax and its relatives. Sums are taken after subtracting the row's largest value.
// SPDX-License-Identifier: Apache-2.0
#include "ck_softmax.h"

#include "ck_math.h"
#include "ck_sums.h"

typedef struct {
    const float *x, *dy;
    const int32_t *targets;
    float *y, *aux;
    long width;
} softmax_job;

static long grain(long width) { return 2048 / (width + 1) + 1; }

CK_INLINE float row_maximum(const float *x, long n) {
    float lanes[16];
    for (int k = 0; k < 16; k++) lanes[k] = -INFINITY;
    long i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++) lanes[k] = lanes[k] > x[i + k] ? lanes[k] : x[i + k];
    float best = -INFINITY;
    for (; i < n; i++) best = best > x[i] ? best : x[i];
    for (int k = 0; k < 16; k++) best = best > lanes[k] ? best : lanes[k];
    return best;
}

CK_KERNEL static void softmax_forward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const softmax_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n;
        float *y = job->y + r * n, largest = row_maximum(x, n);
        if (largest == -INFINITY) {
            for (long i = 0; i < n; i++) y[i] = 0;
            continue;
        }
        for (long i = 0; i < n; i++) y[i] = ck_expf(x[i] - largest);
        double sum;
        CK_SUM(sum, n, y[i]);
        float scale = (float)(1.0 / sum);
        for (long i = 0; i < n; i++) y[i] *= scale;
    }
}

void ck_softmax_forward(ck_pool *pool, const float *x, long rows, long width, float *y) {
    softmax_job job = {.x = x, .y = y, .width = width};
    ck_parallel_for(pool, rows, grain(width), softmax_forward, &job);
}

CK_KERNEL static void softmax_backward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const softmax_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *y = job->x + r * n, *dy = job->dy + r * n;
        float *dx = job->y + r * n;
        double product;
        CK_SUM(product, n, y[i] * dy[i]);
        float mean = (float)product;
        for (long i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - mean);
    }
}

void ck_softmax_backward(ck_pool *pool, const float *y, const float *dy, long rows, long width,
                         float *dx) {
    softmax_job job = {.x = y, .dy = dy, .y = dx, .width = width};
    ck_parallel_for(pool, rows, grain(width), softmax_backward, &job);
}

CK_INLINE float row_logsumexp(const float *x, long n) {
    float largest = row_maximum(x, n);
    if (largest == -INFINITY) return -INFINITY;
    double sum;
    CK_SUM(sum, n, ck_expf(x[i] - largest));
    return (float)((double)largest + log(sum));
}

CK_KERNEL static void log_softmax_forward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const softmax_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n;
        float *y = job->y + r * n, total = row_logsumexp(x, n);
        for (long i = 0; i < n; i++) y[i] = x[i] - total;
    }
}

void ck_log_softmax_forward(ck_pool *pool, const float *x, long rows, long width, float *y) {
    softmax_job job = {.x = x, .y = y, .width = width};
    ck_parallel_for(pool, rows, grain(width), log_softmax_forward, &job);
}

CK_KERNEL static void log_softmax_backward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const softmax_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *y = job->x + r * n, *dy = job->dy + r * n;
        float *dx = job->y + r * n;
        double sum;
        CK_SUM(sum, n, dy[i]);
        float total = (float)sum;
        for (long i = 0; i < n; i++) dx[i] = dy[i] - ck_expf(y[i]) * total;
    }
}

void ck_log_softmax_backward(ck_pool *pool, const float *y, const float *dy, long rows, long width,
                             float *dx) {
    softmax_job job = {.x = y, .dy = dy, .y = dx, .width = width};
    ck_parallel_for(pool, rows, grain(width), log_softmax_backward, &job);
}

CK_KERNEL static void cross_entropy_forward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const softmax_job *job = raw;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * job->width;
        job->aux[r] = row_logsumexp(x, job->width);
        job->y[r] = job->aux[r] - x[job->targets[r]];
    }
}

void ck_cross_entropy_forward(ck_pool *pool, const float *x, const int32_t *targets, long rows,
                              long width, float *loss, float *logsumexp) {
    softmax_job job = {.x = x, .targets = targets, .y = loss, .aux = logsumexp, .width = width};
    ck_parallel_for(pool, rows, grain(width), cross_entropy_forward, &job);
}

CK_KERNEL static void cross_entropy_backward(void *raw, long begin, long end, int worker) {
    (void)worker;
    const softmax_job *job = raw;
    long n = job->width;
    for (long r = begin; r < end; r++) {
        const float *x = job->x + r * n;
        float *dx = job->y + r * n, total = job->aux[r], scale = job->dy[r];
        for (long i = 0; i < n; i++) dx[i] = scale * ck_expf(x[i] - total);
        dx[job->targets[r]] -= scale;
    }
}

void ck_cross_entropy_backward(ck_pool *pool, const float *x, const int32_t *targets,
                               const float *logsumexp, const float *dloss, long rows, long width,
                               float *dx) {
    softmax_job job = {.x = x, .dy = dloss, .targets = targets, .y = dx,
                       .aux = (float *)logsumexp, .width = width};
    ck_parallel_for(pool, rows, grain(width), cross_entropy_backward, &job);
}
