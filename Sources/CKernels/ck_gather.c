// Rows by index: embeddings, nearest codes, sorting. SPDX-License-Identifier: Apache-2.0
#include "ck_gather.h"

#include <stdlib.h>
#include <string.h>

#include "ck_math.h"
#include "ck_micro.h"
#include "ck_sums.h"

typedef struct {
    const float *x, *table;
    const int32_t *indices;
    float *out;
    int32_t *order;
    long count, width, entries;
    int descending;
} gather_job;

static void gather_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *job = raw;
    for (long i = begin; i < end; i++)
        memcpy(job->out + i * job->width, job->table + job->indices[i] * job->width,
               sizeof(float) * (size_t)job->width);
}

void ck_gather_rows(ck_pool *pool, const float *table, const int32_t *indices, long count,
                    long width, float *out) {
    gather_job job = {.table = table, .indices = indices, .out = out, .width = width};
    ck_parallel_for(pool, count, 16384 / (width + 1) + 1, gather_body, &job);
}

// Workers share out the columns: every sum is taken in the order of the rows.
CK_KERNEL static void scatter_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *job = raw;
    long first = begin * 16, last = end * 16 < job->width ? end * 16 : job->width;
    for (long i = 0; i < job->count; i++) {
        const float *from = job->x + i * job->width;
        float *to = job->out + job->indices[i] * job->width;
        for (long c = first; c < last; c++) to[c] += from[c];
    }
}

void ck_scatter_add_rows(ck_pool *pool, const float *rows, const int32_t *indices, long count,
                         long width, float *table) {
    gather_job job = {.x = rows, .indices = indices, .out = table, .count = count, .width = width};
    ck_parallel_for(pool, (width + 15) / 16, 2048 / (count + 1) + 1, scatter_body, &job);
}

// MARK: Nearest rows

enum { POINTS = 48, BLOCK = 128 };

CK_KERNEL static void update_nearest(const float *products, const float *squares, long entry,
                                     long entries, const float *own, float *best, int32_t *index) {
    for (long v = 0; v < entries; v++)
        for (long i = 0; i < POINTS; i++) {
            float d = (own[i] + squares[v]) - 2.0f * products[v * POINTS + i];
            index[i] = d < best[i] ? (int32_t)(entry + v) : index[i];
            best[i] = d < best[i] ? d : best[i];
        }
}

CK_KERNEL static void sum_squares(const float *x, long rows, long width, float *out) {
    for (long r = 0; r < rows; r++) {
        double sum;
        CK_SUM(sum, width, x[r * width + i] * x[r * width + i]);
        out[r] = (float)sum;
    }
}

static void nearest_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *job = raw;
    for (long task = begin; task < end; task++) {
        long first = task * POINTS;
        long count = job->count - first < POINTS ? job->count - first : POINTS;
        float *points = ck_scratch(0, job->width * POINTS);
        float *products = ck_scratch(1, BLOCK * POINTS);
        float own[POINTS] = {0}, best[POINTS];
        int32_t index[POINTS] = {0};
        const float *z = job->x + first * job->width;
        sum_squares(z, count, job->width, own);
        for (long c = 0; c < job->width; c++)
            for (long i = 0; i < POINTS; i++)
                points[c * POINTS + i] = i < count ? z[i * job->width + c] : 0;
        for (long i = 0; i < POINTS; i++) best[i] = INFINITY;
        for (long v = 0; v < job->entries; v += BLOCK) {
            long entries = job->entries - v < BLOCK ? job->entries - v : BLOCK;
            ck_product(entries, POINTS, job->width, job->table + v * job->width, job->width, 1,
                       points, POINTS, products, POINTS, 0);
            update_nearest(products, job->out + v, v, entries, own, best, index);
        }
        memcpy(job->order + first, index, sizeof(int32_t) * (size_t)count);
    }
}

void ck_nearest_rows(ck_pool *pool, const float *z, const float *table, long count, long entries,
                     long width, int32_t *index) {
    float *squares = ck_allocate(entries * (long)sizeof(float));
    sum_squares(table, entries, width, squares);
    gather_job job = {.x = z, .table = table, .out = squares, .order = index, .count = count,
                      .entries = entries, .width = width};
    ck_parallel_for(pool, (count + POINTS - 1) / POINTS, 1, nearest_body, &job);
    free(squares);
}

// MARK: Sorting

// Whether b must come before a; false for equal values, so that merging is stable.
CK_INLINE int goes_before(float b, float a, int descending) {
    if (a != a) return b == b;
    return descending ? b > a : b < a;
}

// Merge sort of indices, bottom up.
static void sort_row(const float *x, int32_t *order, int32_t *spare, long n, int descending) {
    for (long i = 0; i < n; i++) order[i] = (int32_t)i;
    for (long run = 1; run < n; run *= 2) {
        for (long start = 0; start < n; start += 2 * run) {
            long middle = start + run < n ? start + run : n;
            long stop = start + 2 * run < n ? start + 2 * run : n;
            long a = start, b = middle, out = start;
            while (a < middle && b < stop)
                spare[out++] = goes_before(x[order[b]], x[order[a]], descending) ? order[b++]
                                                                                 : order[a++];
            while (a < middle) spare[out++] = order[a++];
            while (b < stop) spare[out++] = order[b++];
        }
        memcpy(order, spare, sizeof(int32_t) * (size_t)n);
    }
}

static void sort_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *job = raw;
    int32_t *spare = ck_allocate(job->width * (long)sizeof(int32_t));
    for (long r = begin; r < end; r++)
        sort_row(job->x + r * job->width, job->order + r * job->width, spare, job->width,
                 job->descending);
    free(spare);
}

void ck_argsort(ck_pool *pool, const float *x, long rows, long width, int descending,
                int32_t *order) {
    gather_job job = {.x = x, .order = order, .width = width, .descending = descending};
    ck_parallel_for(pool, rows, 512 / (width + 1) + 1, sort_body, &job);
}
