// Convolution gradients by im2col of one tile of pixels at a time.
// SPDX-License-Identifier: Apache-2.0
#include "ck_convolution_columns.h"

#include <stdlib.h>
#include <string.h>

#include "ck_planes.h"

enum { COLUMNS, ROWS };  // scratch slots

typedef struct {
    const ck_convolution *shape;
    const float *x, *w, *dy;
    float *out, *partial;
    long tile, tiles, inputs, outputs, depth, padded, slabs;
} columns_job;

static columns_job plan(const ck_convolution *s) {
    columns_job job = {.shape = s};
    long pixels = s->out_height * s->out_width;
    job.inputs = s->channels / s->groups;
    job.outputs = s->outputs / s->groups;
    job.depth = job.inputs * s->kernel_height * s->kernel_width;
    job.padded = CK_ROUND_UP(job.depth);
    // About 400 KiB of columns.
    long tile = ck_max(48, 98304 / job.padded / 48 * 48);
    job.tile = ck_min(tile, CK_ROUND_UP(pixels));
    job.tiles = (pixels + job.tile - 1) / job.tile;
    return job;
}

// Writes the inputs of the pixels [first, first + count) as rows: out[p·padded + k].
CK_INLINE void gather_rows(const columns_job *job, const float *x, long first, long count,
                           float *out) {
    const ck_convolution *s = job->shape;
    for (long c = 0; c < job->inputs; c++)
        for (long u = 0; u < s->kernel_height; u++)
            for (long v = 0; v < s->kernel_width; v++) {
                const float *plane = x + c * s->height * s->width;
                float *to = out + (c * s->kernel_height + u) * s->kernel_width + v;
                long i = first / s->out_width, j = first % s->out_width;
                for (long p = 0; p < count;) {
                    long run = ck_min(count - p, s->out_width - j);
                    long y = i * s->stride + u - s->top, from = j * s->stride + v - s->left;
                    for (long k = 0; k < run; k++, from += s->stride)
                        to[(p + k) * job->padded] =
                            y >= 0 && y < s->height && from >= 0 && from < s->width
                                ? plane[y * s->width + from]
                                : 0;
                    p += run;
                    i++;
                    j = 0;
                }
            }
}

static void data_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const columns_job *job = raw;
    const ck_convolution *s = job->shape;
    long pixels = s->out_height * s->out_width, plane = s->height * s->width;
    for (long task = begin; task < end; task++) {
        long group = task % s->groups, image = task / s->groups;
        float *dx = job->out + (image * s->channels + group * job->inputs) * plane;
        memset(dx, 0, sizeof(float) * (size_t)(job->inputs * plane));
        float *columns = ck_scratch(COLUMNS, job->depth * job->tile);
        float *rows = ck_scratch(ROWS, job->outputs * job->tile);
        for (long first = 0; first < pixels; first += job->tile) {
            long count = ck_min(job->tile, pixels - first);
            for (long o = 0; o < job->outputs; o++) {
                const float *from =
                    job->dy + (image * s->outputs + group * job->outputs + o) * pixels + first;
                memcpy(rows + o * job->tile, from, sizeof(float) * (size_t)count);
                for (long p = count; p < job->tile; p++) rows[o * job->tile + p] = 0;
            }
            ck_product(job->depth, count, job->outputs,
                       job->w + group * job->outputs * job->depth, 1, job->depth, rows, job->tile,
                       columns, job->tile, 0);
            for (long k = 0; k < job->depth; k++) {
                long taps = s->kernel_height * s->kernel_width;
                long u = k % taps / s->kernel_width, v = k % s->kernel_width;
                float *to = dx + k / taps * plane;
                const float *column = columns + k * job->tile;
                long i = first / s->out_width, j = first % s->out_width;
                for (long p = 0; p < count;) {
                    long run = ck_min(count - p, s->out_width - j);
                    long y = i * s->stride + u - s->top, at = j * s->stride + v - s->left;
                    if (y >= 0 && y < s->height)
                        for (long n = 0; n < run; n++, at += s->stride)
                            if (at >= 0 && at < s->width) to[y * s->width + at] += column[p + n];
                    p += run;
                    i++;
                    j = 0;
                }
            }
        }
    }
}

void ck_columns_backward_data(ck_pool *pool, const ck_convolution *s, const float *dy,
                              const float *w, float *dx) {
    columns_job job = plan(s);
    job.dy = dy;
    job.w = w;
    job.out = dx;
    ck_parallel_for(pool, s->batch * s->groups, 1, data_body, &job);
}

static void weight_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const columns_job *job = raw;
    const ck_convolution *s = job->shape;
    long pixels = s->out_height * s->out_width, items = s->batch * job->tiles;
    for (long task = begin; task < end; task++) {
        long slab = task % job->slabs, group = task / job->slabs;
        float *partial = job->partial + task * job->outputs * job->padded;
        float *rows = ck_scratch(ROWS, job->tile * job->padded);
        memset(rows, 0, sizeof(float) * (size_t)(job->tile * job->padded));
        long item = items * slab / job->slabs, stop = items * (slab + 1) / job->slabs;
        for (int accumulate = 0; item < stop; item++, accumulate = 1) {
            long image = item / job->tiles, first = item % job->tiles * job->tile;
            long count = ck_min(job->tile, pixels - first);
            const float *x =
                job->x + (image * s->channels + group * job->inputs) * s->height * s->width;
            gather_rows(job, x, first, count, rows);
            const float *dy =
                job->dy + (image * s->outputs + group * job->outputs) * pixels + first;
            ck_product(job->outputs, job->padded, count, dy, pixels, 1, rows, job->padded, partial,
                       job->padded, accumulate);
        }
    }
}

void ck_columns_backward_weight(ck_pool *pool, const ck_convolution *s, const float *x,
                                const float *dy, float *dw) {
    columns_job job = plan(s);
    job.x = x;
    job.dy = dy;
    long size = job.outputs * job.padded;
    job.slabs = ck_max(1, ck_min(ck_min(16, s->batch * job.tiles), (16L << 20) / size));
    job.partial = ck_allocate(s->groups * job.slabs * size * (long)sizeof(float));
    ck_parallel_for(pool, s->groups * job.slabs, 1, weight_body, &job);
    for (long o = 0; o < s->outputs; o++) {
        float *out = dw + o * job.depth;
        memset(out, 0, sizeof(float) * (size_t)job.depth);
        const float *partial = job.partial + o / job.outputs * job.slabs * size +
                               o % job.outputs * job.padded;
        for (long slab = 0; slab < job.slabs; slab++)
            for (long k = 0; k < job.depth; k++) out[k] += partial[slab * size + k];
    }
    free(job.partial);
}
