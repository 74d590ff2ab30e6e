// Products of a few rows with a large weight: sixteen outputs at a time fill a vector, so a weight is
// turned in registers on its way from memory and used once.
// SPDX-License-Identifier: Apache-2.0
#include "ck_few_rows.h"

#include "ck_transpose.h"

enum { LANES = 16, AHEAD = 128 };  // floats of a row that are asked for ahead

typedef struct {
    long rows, n, k, block;
    const float *x, *w, *bias;
    long x_row, w_row;
    float *y;
} rows_job;

// Sixteen outputs of all rows; `rows` is a constant after inlining.
CK_INLINE void sixteen(const rows_job *job, const int rows, long first) {
    long count = job->n - first < LANES ? job->n - first : LANES;
    const float *w = job->w + first * job->w_row;
    float tile[LANES * LANES] __attribute__((aligned(64)));
    ck_lanes16 total[CK_FEW_ROWS], sum[CK_FEW_ROWS];
    for (long start = 0; start < job->k; start += job->block) {
        long stop = start + job->block < job->k ? start + job->block : job->k;
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) sum[r] = (ck_lanes16){0};
        for (long k = start; k < stop; k += LANES) {
            long steps = stop - k < LANES ? stop - k : LANES;
            if (count == LANES && steps == LANES) {
                // Rows lie pages apart: more streams than the processor follows by itself.
#pragma clang loop unroll(full)
                for (int i = 0; i < LANES; i++)
                    __builtin_prefetch(w + i * job->w_row + k + AHEAD, 0, 2);
                ck_transpose16(w + k, job->w_row, tile, LANES);
#pragma clang loop unroll(full)
                for (int i = 0; i < LANES; i++) {
                    ck_lanes16 column = *(const ck_lanes16 *)(tile + i * LANES);
#pragma clang loop unroll(full)
                    for (int r = 0; r < rows; r++)
                        sum[r] += job->x[r * job->x_row + k + i] * column;
                }
                continue;
            }
            for (long i = 0; i < steps; i++) {
                ck_lanes16 column = {0};
                for (long j = 0; j < count; j++) column[j] = w[j * job->w_row + k + i];
#pragma clang loop unroll(full)
                for (int r = 0; r < rows; r++)
                    sum[r] += job->x[r * job->x_row + k + i] * column;
            }
        }
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            if (start == 0 && job->bias)
                for (long j = 0; j < count; j++) total[r][j] = job->bias[first + j];
            total[r] = start == 0 && !job->bias ? sum[r] : total[r] + sum[r];
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
        for (long j = 0; j < count; j++) job->y[r * job->n + first + j] = total[r][j];
}

CK_KERNEL static void rows_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const rows_job *job = raw;
    for (long group = begin; group < end; group++) switch (job->rows) {
            case 1: sixteen(job, 1, group * LANES); break;
            case 2: sixteen(job, 2, group * LANES); break;
            case 3: sixteen(job, 3, group * LANES); break;
            default: sixteen(job, 4, group * LANES);
        }
}

void ck_few_rows(ck_pool *pool, long rows, long n, long k, long block, const float *x, long x_row,
                 const float *w, long w_row, const float *bias, float *y) {
    rows_job job = {.rows = rows, .n = n, .k = k, .block = block, .x = x, .x_row = x_row,
                    .w = w, .w_row = w_row, .bias = bias, .y = y};
    if ((double)rows * (double)n * (double)k < 3e5) pool = NULL;
    ck_parallel_for(pool, (n + LANES - 1) / LANES, 1, rows_body, &job);
}
