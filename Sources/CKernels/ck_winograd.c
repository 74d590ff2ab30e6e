// Winograd F(4 × 4, 3 × 3): 36 products for 16 outputs instead of 144.
// SPDX-License-Identifier: Apache-2.0
#include "ck_winograd.h"

#include "ck_math.h"
#include "ck_micro.h"
#include "ck_planes.h"
#include "ck_winograd_transforms.h"

// A tile is 4 × 4 outputs, a quad four tiles beside one another (16 pixels), a block the quads whose
// products are computed together: their transformed inputs stay in the second-level cache.
enum { TILE = 4, QUAD = 16, BLOCK = 8, POINTS = 36, PANEL = 8, OUTPUTS = 40 };
enum { INPUTS, SUMS, ROWS, WEIGHTS };  // scratch slots

typedef struct {
    const ck_convolution *shape;
    const float *x, *bias;
    ck_kernel_weights weights;
    ck_convolution_fusion fusion;
    float *y, *transformed;  // [blocks of OUTPUTS][point][panel][channel][8]
    long row_quads, quads, blocks;  // quads of a row of tiles and of a picture
    long panels, splits;
} winograd_job;

/// Where the quads of a block read from and write to.
typedef struct {
    long count;  // a multiple of 4: the last is repeated
    long row[BLOCK], column[BLOCK];
    const float *source[BLOCK];
    long pitch[BLOCK];
} quad_block;

// MARK: Instruction sets

#define NAME(x) baseline_##x
#include "ck_winograd_template.h"
#undef NAME
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define NAME(x) v3_##x
#include "ck_winograd_template.h"
#undef NAME
#pragma clang attribute pop
// As in ck_micro.c: vectors of sixteen are cut in two unless they are asked for.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define NAME(x) v4_##x
#include "ck_winograd_template.h"
#undef NAME
#pragma clang attribute pop
#define CALL(x, ...)                                                                         \
    (ck_level() == 2 ? v4_##x(__VA_ARGS__)                                                   \
                     : ck_level() == 1 ? v3_##x(__VA_ARGS__) : baseline_##x(__VA_ARGS__))
#else
#define CALL(x, ...) baseline_##x(__VA_ARGS__)
#endif

// MARK: Weights

static void weights_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    for (long panel = begin; panel < end; panel++) CALL(transform_panel, raw, panel);
}

// MARK: Tiles

static void tiles_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const winograd_job *job = raw;
    const ck_convolution *s = job->shape;
    for (long task = begin; task < end; task++) {
        long split = task % job->splits, index = task / job->splits % job->blocks;
        long image = task / job->splits / job->blocks;
        quad_block block;
        long quads = ck_min(BLOCK, job->quads - index * BLOCK);
        block.count = (quads + 3) / 4 * 4;
        for (long q = 0; q < block.count; q++) {
            long at = index * BLOCK + ck_min(q, quads - 1);
            block.row[q] = at / job->row_quads * TILE;
            block.column[q] = at % job->row_quads * QUAD;
        }
        long tiles = block.count * TILE;
        float *inputs = ck_scratch(INPUTS, POINTS * s->channels * tiles);
        float *sums = ck_scratch(SUMS, POINTS * OUTPUTS * tiles);
        float *rows = ck_scratch(ROWS, BLOCK * (TILE + 2) * 2 * QUAD);
        CALL(transform_block, job, image, &block, rows, inputs);
        long parts = (job->panels * PANEL + OUTPUTS - 1) / OUTPUTS;
        for (long part = parts * split / job->splits; part < parts * (split + 1) / job->splits;
             part++) {
            long first = part * OUTPUTS;
            long panels = ck_min(OUTPUTS / PANEL, job->panels - first / PANEL);
            const float *w = job->transformed + first * POINTS * s->channels;
            long stride = panels * PANEL * tiles;
            for (long f = 0; f < POINTS; f++)
                for (long p = 0; p < panels; p++, w += PANEL * s->channels)
                    ck_product(PANEL, tiles, s->channels, w, 1, PANEL,
                               inputs + f * s->channels * tiles, tiles,
                               sums + f * stride + p * PANEL * tiles, tiles, 0);
            CALL(store_block, job, image, first, &block, quads, sums, stride);
        }
    }
}

// MARK: Entry points

int ck_winograd_suits(const ck_convolution *s) {
    if (s->kernel_height != 3 || s->kernel_width != 3 || s->stride != 1 || s->groups != 1) return 0;
    if (s->top < 0 || s->left < 0 || s->channels < 32 || s->outputs < 32) return 0;
    long pixels = s->out_height * s->out_width;
    long tiled = (s->out_height + 3) / 4 * 4 * ((s->out_width + 15) / 16 * 16);
    // Few pixels don't repay the transformed weights once these leave the caches. A picture's path must
    // not depend on the batch.
    long least = s->channels * s->outputs <= 128 * 1024 ? 256 : 1024;
    return pixels >= least && 4 * tiled <= 5 * pixels;
}

void ck_winograd(ck_pool *pool, const ck_convolution *s, const float *x, ck_kernel_weights weights,
                 const float *bias, const ck_convolution_fusion *fusion, float *y) {
    winograd_job job = {.shape = s, .x = x, .bias = bias, .weights = weights, .y = y};
    if (fusion) job.fusion = *fusion;
    job.panels = (s->outputs + PANEL - 1) / PANEL;
    job.row_quads = (s->out_width + QUAD - 1) / QUAD;
    job.quads = (s->out_height + TILE - 1) / TILE * job.row_quads;
    job.blocks = (job.quads + BLOCK - 1) / BLOCK;
    job.transformed = ck_scratch(WEIGHTS, job.panels * PANEL * POINTS * s->channels);
    job.splits = 1;
    long tasks = s->batch * job.blocks, threads = pool ? ck_pool_threads(pool) : 1;
    while (tasks * job.splits < 4 * threads && s->outputs / job.splits >= 4 * OUTPUTS)
        job.splits *= 2;
    ck_parallel_for(pool, job.panels, 1, weights_body, &job);
    ck_parallel_for(pool, tasks * job.splits, 1, tiles_body, &job);
}
