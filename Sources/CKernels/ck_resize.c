// Separable resizing and pooling, plane by plane. SPDX-License-Identifier: Apache-2.0
#include "ck_resize.h"

#include <string.h>

#include "ck_math.h"
#include "ck_micro.h"

typedef struct {
    const float *x;
    float *y;
    int32_t *positions;
    const ck_band_matrix *rows, *columns;
    long height, width, size, stride, out_height, out_width;
} plane_job;

static long plane_grain(long work) { return 16384 / (work + 1) + 1; }

CK_KERNEL static void resize_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const plane_job *job = raw;
    const ck_band_matrix *rows = job->rows, *columns = job->columns;
    float *middle = ck_scratch(0, rows->from * columns->to);
    for (long p = begin; p < end; p++) {
        const float *x = job->x + p * rows->from * columns->from;
        float *y = job->y + p * rows->to * columns->to;
        for (long i = 0; i < rows->from; i++)
            for (long j = 0; j < columns->to; j++) {
                const float *from = x + i * columns->from + columns->first[j];
                const float *weights = columns->weights + j * columns->width;
                float sum = 0;
                for (long t = 0; t < columns->count[j]; t++) sum += weights[t] * from[t];
                middle[i * columns->to + j] = sum;
            }
        for (long i = 0; i < rows->to; i++) {
            float *out = y + i * columns->to;
            for (long j = 0; j < columns->to; j++) out[j] = 0;
            for (long t = 0; t < rows->count[i]; t++) {
                float weight = rows->weights[i * rows->width + t];
                const float *from = middle + (rows->first[i] + t) * columns->to;
                for (long j = 0; j < columns->to; j++) out[j] += weight * from[j];
            }
        }
    }
}

void ck_resize(ck_pool *pool, const float *x, long planes, const ck_band_matrix *rows,
               const ck_band_matrix *columns, float *y) {
    plane_job job = {.x = x, .y = y, .rows = rows, .columns = columns};
    long work = rows->from * columns->to * columns->width + rows->to * rows->width * columns->to;
    ck_parallel_for(pool, planes, plane_grain(work), resize_body, &job);
}

CK_KERNEL static void upsample_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const plane_job *job = raw;
    long w = job->width;
    for (long row = begin; row < end; row++) {
        const float *x = job->x + row * w;
        float *y = job->y + row * 4 * w;
        for (long j = 0; j < w; j++) {
            y[2 * j] = x[j];
            y[2 * j + 1] = x[j];
        }
        memcpy(y + 2 * w, y, sizeof(float) * (size_t)(2 * w));
    }
}

void ck_upsample_nearest_2x(ck_pool *pool, const float *x, long planes, long height, long width,
                            float *y) {
    plane_job job = {.x = x, .y = y, .width = width};
    ck_parallel_for(pool, planes * height, plane_grain(4 * width), upsample_body, &job);
}

CK_KERNEL static void sum_2x2_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const plane_job *job = raw;
    long w = job->width;
    for (long row = begin; row < end; row++) {
        const float *dy = job->x + row * 4 * w;
        float *dx = job->y + row * w;
        for (long j = 0; j < w; j++)
            dx[j] = (dy[2 * j] + dy[2 * j + 1]) + (dy[2 * w + 2 * j] + dy[2 * w + 2 * j + 1]);
    }
}

void ck_sum_2x2(ck_pool *pool, const float *dy, long planes, long height, long width, float *dx) {
    plane_job job = {.x = dy, .y = dx, .width = width};
    ck_parallel_for(pool, planes * height, plane_grain(4 * width), sum_2x2_body, &job);
}

// MARK: Pooling

static plane_job pool_job(const float *x, float *y, long height, long width, long size,
                          long stride) {
    plane_job job = {.x = x, .y = y, .height = height, .width = width, .size = size,
                     .stride = stride};
    job.out_height = (height - size) / stride + 1;
    job.out_width = (width - size) / stride + 1;
    return job;
}

static void max_pool_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const plane_job *job = raw;
    for (long p = begin; p < end; p++) {
        const float *x = job->x + p * job->height * job->width;
        for (long i = 0; i < job->out_height; i++)
            for (long j = 0; j < job->out_width; j++) {
                long best = i * job->stride * job->width + j * job->stride;
                for (long u = 0; u < job->size; u++)
                    for (long v = 0; v < job->size; v++) {
                        long at = (i * job->stride + u) * job->width + j * job->stride + v;
                        if (x[at] > x[best]) best = at;
                    }
                long out = (p * job->out_height + i) * job->out_width + j;
                job->y[out] = x[best];
                job->positions[out] = (int32_t)best;
            }
    }
}

void ck_max_pool(ck_pool *pool, const float *x, long planes, long height, long width, long size,
                 long stride, float *y, int32_t *positions) {
    plane_job job = pool_job(x, y, height, width, size, stride);
    job.positions = positions;
    ck_parallel_for(pool, planes, plane_grain(height * width), max_pool_body, &job);
}

void ck_max_pool_backward(ck_pool *pool, const float *dy, const int32_t *positions, long planes,
                          long pooled, long pixels, float *dx) {
    (void)pool;
    memset(dx, 0, sizeof(float) * (size_t)(planes * pixels));
    for (long p = 0; p < planes; p++)
        for (long i = 0; i < pooled; i++)
            dx[p * pixels + positions[p * pooled + i]] += dy[p * pooled + i];
}

static void average_pool_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const plane_job *job = raw;
    float scale = 1.0f / (float)(job->size * job->size);
    for (long p = begin; p < end; p++) {
        const float *x = job->x + p * job->height * job->width;
        float *y = job->y + p * job->out_height * job->out_width;
        for (long i = 0; i < job->out_height; i++)
            for (long j = 0; j < job->out_width; j++) {
                float sum = 0;
                for (long u = 0; u < job->size; u++)
                    for (long v = 0; v < job->size; v++)
                        sum += x[(i * job->stride + u) * job->width + j * job->stride + v];
                y[i * job->out_width + j] = sum * scale;
            }
    }
}

void ck_average_pool(ck_pool *pool, const float *x, long planes, long height, long width, long size,
                     long stride, float *y) {
    plane_job job = pool_job(x, y, height, width, size, stride);
    ck_parallel_for(pool, planes, plane_grain(height * width), average_pool_body, &job);
}

static void average_pool_backward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const plane_job *job = raw;
    float scale = 1.0f / (float)(job->size * job->size);
    for (long p = begin; p < end; p++) {
        const float *dy = job->x + p * job->out_height * job->out_width;
        float *dx = job->y + p * job->height * job->width;
        memset(dx, 0, sizeof(float) * (size_t)(job->height * job->width));
        for (long i = 0; i < job->out_height; i++)
            for (long j = 0; j < job->out_width; j++) {
                float share = dy[i * job->out_width + j] * scale;
                for (long u = 0; u < job->size; u++)
                    for (long v = 0; v < job->size; v++)
                        dx[(i * job->stride + u) * job->width + j * job->stride + v] += share;
            }
    }
}

void ck_average_pool_backward(ck_pool *pool, const float *dy, long planes, long height, long width,
                              long size, long stride, float *dx) {
    plane_job job = pool_job(dy, dx, height, width, size, stride);
    ck_parallel_for(pool, planes, plane_grain(height * width), average_pool_backward_body, &job);
}
