// Reductions. Fixed chunking keeps sums the same for any number of threads.
// SPDX-License-Identifier: Apache-2.0
#include "ck_reduce.h"

#include <stdlib.h>

#include "ck_math.h"

typedef struct {
    const float *x;
    float *out;
    int32_t *indices;
    long length, inner;
    float scale;
} reduce_job;

CK_INLINE double row_sum(const float *x, long n) {
    double total = 0.0;
    for (long start = 0; start < n; start += 256) {
        long end = start + 256 < n ? start + 256 : n;
        float partial[16] = {0};
        long i = start;
        for (; i + 16 <= end; i += 16)
            for (int k = 0; k < 16; k++) partial[k] += x[i + k];
        double block = 0.0;
        for (; i < end; i++) block += x[i];
        for (int k = 0; k < 16; k++) block += partial[k];
        total += block;
    }
    return total;
}

CK_KERNEL static void sum_rows(void *raw, long begin, long end, int worker) {
    (void)worker;
    const reduce_job *job = raw;
    for (long o = begin; o < end; o++)
        job->out[o] = (float)(row_sum(job->x + o * job->length, job->length) * job->scale);
}

// Columns of one outer slice, [begin, end) of outer · ceil(inner / 64) blocks.
CK_KERNEL static void sum_columns(void *raw, long begin, long end, int worker) {
    (void)worker;
    const reduce_job *job = raw;
    long blocks = (job->inner + 63) / 64;
    for (long task = begin; task < end; task++) {
        long o = task / blocks, first = task % blocks * 64;
        long width = job->inner - first < 64 ? job->inner - first : 64;
        double total[64] = {0};
        const float *x = job->x + o * job->length * job->inner + first;
        for (long l = 0; l < job->length; l++)
            for (long i = 0; i < width; i++) total[i] += x[l * job->inner + i];
        float *out = job->out + o * job->inner + first;
        for (long i = 0; i < width; i++) out[i] = (float)(total[i] * job->scale);
    }
}

void ck_sum_f32(ck_pool *pool, const float *x, float *out, long outer, long length, long inner,
                float scale) {
    reduce_job job = {x, out, NULL, length, inner, scale};
    if (inner == 1) {
        ck_parallel_for(pool, outer, 16384 / (length + 1) + 1, sum_rows, &job);
    } else {
        long blocks = (inner + 63) / 64;
        ck_parallel_for(pool, outer * blocks, 256 / (length + 1) + 1, sum_columns, &job);
    }
}

CK_KERNEL static void max_range(void *raw, long begin, long end, int worker) {
    (void)worker;
    const reduce_job *job = raw;
    for (long t = begin; t < end; t++) {
        long o = t / job->inner, i = t % job->inner;
        const float *x = job->x + o * job->length * job->inner + i;
        float best = x[0];
        long index = 0;
        for (long l = 1; l < job->length; l++) {
            float v = x[l * job->inner];
            if (v > best || (v != v && best == best)) {
                best = v;
                index = l;
            }
        }
        job->out[t] = best;
        job->indices[t] = (int32_t)index;
    }
}

void ck_max_f32(ck_pool *pool, const float *x, float *values, int32_t *indices, long outer,
                long length, long inner) {
    reduce_job job = {x, values, indices, length, inner, 1.0f};
    ck_parallel_for(pool, outer * inner, 16384 / (length + 1) + 1, max_range, &job);
}

typedef struct {
    const float *x;
    double *partial;
    long n;
} square_job;

enum { SQUARE_BLOCK = 16384 };

CK_KERNEL static void square_blocks(void *raw, long begin, long end, int worker) {
    (void)worker;
    const square_job *job = raw;
    for (long b = begin; b < end; b++) {
        long first = b * SQUARE_BLOCK, last = first + SQUARE_BLOCK;
        if (last > job->n) last = job->n;
        double lanes[8] = {0};
        long i = first;
        for (; i + 8 <= last; i += 8)
            for (int k = 0; k < 8; k++) lanes[k] += (double)job->x[i + k] * job->x[i + k];
        double total = 0.0;
        for (; i < last; i++) total += (double)job->x[i] * job->x[i];
        for (int k = 0; k < 8; k++) total += lanes[k];
        job->partial[b] = total;
    }
}

double ck_sum_of_squares_f32(ck_pool *pool, const float *x, long n) {
    long blocks = (n + SQUARE_BLOCK - 1) / SQUARE_BLOCK;
    double small[64], *partial = small;
    if (blocks > 64) partial = malloc((size_t)blocks * sizeof *partial);
    if (!partial) return NAN;
    square_job job = {x, partial, n};
    ck_parallel_for(pool, blocks, 4, square_blocks, &job);
    double total = 0.0;
    for (long b = 0; b < blocks; b++) total += partial[b];
    if (partial != small) free(partial);
    return total;
}

int ck_all_finite_f32(ck_pool *pool, const float *x, long n) {
    // Squares of finite values may overflow f32 but not f64; infinities and NaN survive the sum.
    double total = ck_sum_of_squares_f32(pool, x, n);
    return isfinite(total) ? 1 : 0;
}
