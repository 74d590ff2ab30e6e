// Winograd F(4 × 4, 3 × 3): 36 products for 16 outputs instead of 144.
// SPDX-License-Identifier: Apache-2.0
#include "ck_winograd.h"

#include "ck_math.h"
#include "ck_micro.h"
#include "ck_planes.h"
#include "ck_winograd_transforms.h"

// Kernels of eight outputs are transformed together; a task multiplies by at most 40 outputs.
enum { PANEL = 8, OUTPUTS = 40 };
enum { LEAST = 24 };  // channels: with fewer the transforms outweigh the products
enum { INPUTS, SUMS, ROWS, WHOLE };  // scratch slots

typedef struct {
    const ck_convolution *shape;
    const float *x, *bias;
    ck_kernel_weights weights;
    ck_convolution_fusion fusion;
    float *y;
    float *transformed;  // weights [part][point][panel][channel][8]
    float *inputs;       // of one picture: [block][point][channel][tile]
    long image;          // the picture of `inputs`
    long row_quads, quads;  // quads of a row of tiles and of a picture
    long block, blocks;     // quads of a block
    long width, parts, splits;      // a part is `width` outputs, a multiple of PANEL
} winograd_job;

/// Where the quads of a block read from and write to.
typedef struct {
    long count, stored;  // count is a multiple of 4: the last is repeated
    long row[BLOCK], column[BLOCK];
    const float *source[BLOCK];
    long pitch[BLOCK];
} quad_block;

// Floats from one point to the next of a part's weights and of a block's inputs and sums: a multiple of a
// page apart, the 36 points would share a set of the first-level cache.
static long weight_floats(const winograd_job *job) {
    return job->width * job->shape->channels + CK_LANES;
}
static long input_floats(const winograd_job *job, long tiles) {
    return job->shape->channels * tiles + CK_LANES;
}
static long sum_floats(const winograd_job *job, long tiles) {
    return job->width * tiles + CK_LANES;
}

// MARK: Instruction sets

#define CK_TEMPLATE "ck_winograd_template.h"
#include "ck_every_level.h"

// MARK: Tiles outside, weights inside

static quad_block make_block(const winograd_job *job, long index) {
    quad_block block;
    long quads = ck_min(job->block, job->quads - index * job->block);
    block.count = (quads + 3) / 4 * 4;
    for (long q = 0; q < block.count; q++) {
        long at = index * job->block + ck_min(q, quads - 1);
        block.row[q] = at / job->row_quads * TILE;
        block.column[q] = at % job->row_quads * QUAD;
    }
    block.stored = quads;
    return block;
}

static long part_floats(const winograd_job *job) { return POINTS * weight_floats(job); }

void ck_winograd_inputs(const ck_convolution *s, const float *x, long image,
                        ck_winograd_block *block, float *inputs) {
    winograd_job job = {.shape = s, .x = x, .block = BLOCK};
    job.row_quads = (s->out_width + QUAD - 1) / QUAD;
    job.quads = (s->out_height + TILE - 1) / TILE * job.row_quads;
    quad_block quads = make_block(&job, block->index);
    block->stored = quads.stored;
    block->tiles = quads.count * TILE;
    memcpy(block->row, quads.row, sizeof quads.row);
    memcpy(block->column, quads.column, sizeof quads.column);
    float *rows = ck_scratch(ROWS, BLOCK * (TILE + 2) * 2 * QUAD);
    CALL(transform_block, &job, image, 0, s->channels, &quads, rows, inputs);
}

static void weights_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const winograd_job *job = raw;
    for (long part = begin; part < end; part++)
        CALL(transform_weights, job, part, job->transformed + part * part_floats(job));
}

// sums[point][output][tile] of one part and point.
static void multiply(const winograd_job *job, long part, const float *weights, const float *inputs,
                     long point, long tiles, float *sums) {
    long channels = job->shape->channels;
    long outputs = ck_min(job->width, job->shape->outputs - part * job->width);
    weights += point * weight_floats(job);
    for (long p = 0; p < outputs; p += PANEL)
        ck_product(PANEL, tiles, channels, weights + p * channels, 1, PANEL,
                   inputs + point * input_floats(job, tiles), tiles,
                   sums + point * sum_floats(job, tiles) + p * tiles, tiles, 0);
}

static void tiles_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const winograd_job *job = raw;
    long channels = job->shape->channels;
    for (long task = begin; task < end; task++) {
        long split = task % job->splits, index = task / job->splits % job->blocks;
        long image = task / job->splits / job->blocks;
        quad_block block = make_block(job, index);
        long tiles = block.count * TILE;
        float *inputs = ck_scratch(INPUTS, POINTS * input_floats(job, tiles));
        float *sums = ck_scratch(SUMS, POINTS * sum_floats(job, tiles));
        float *rows = ck_scratch(ROWS, BLOCK * (TILE + 2) * 2 * QUAD);
        CALL(transform_block, job, image, 0, channels, &block, rows, inputs);
        long last = job->parts * (split + 1) / job->splits;
        for (long part = job->parts * split / job->splits; part < last; part++) {
            for (long point = 0; point < POINTS; point++)
                multiply(job, part, job->transformed + part * part_floats(job), inputs, point,
                         tiles, sums);
            CALL(store_block, job, image, part, &block, sums);
        }
    }
}

// MARK: Weights outside, tiles inside

enum { CHANNELS = 32 };  // transformed by one task

static void inputs_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const winograd_job *job = raw;
    long channels = job->shape->channels;
    for (long task = begin; task < end; task++) {
        quad_block block = make_block(job, task % job->blocks);
        long first = task / job->blocks * CHANNELS;
        float *rows = ck_scratch(ROWS, BLOCK * (TILE + 2) * 2 * QUAD);
        CALL(transform_block, job, job->image, first, ck_min(first + CHANNELS, channels), &block,
             rows,
             job->inputs + task % job->blocks * POINTS * input_floats(job, job->block * TILE));
    }
}

static void parts_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const winograd_job *job = raw;
    long block_inputs = POINTS * input_floats(job, job->block * TILE);
    long block_sums = POINTS * sum_floats(job, job->block * TILE);
    for (long part = begin; part < end; part++) {
        float *weights = ck_scratch(INPUTS, part_floats(job));
        float *sums = ck_scratch(SUMS, job->blocks * block_sums);
        CALL(transform_weights, job, part, weights);
        for (long point = 0; point < POINTS; point++)
            for (long index = 0; index < job->blocks; index++)
                multiply(job, part, weights, job->inputs + index * block_inputs, point,
                         make_block(job, index).count * TILE, sums + index * block_sums);
        for (long index = 0; index < job->blocks; index++) {
            quad_block block = make_block(job, index);
            CALL(store_block, job, job->image, part, &block, sums + index * block_sums);
        }
    }
}

// MARK: Entry points

int ck_winograd_suits(const ck_convolution *s) {
    if (s->direct || s->stride != 1 || s->groups != 1) return 0;
    if (s->kernel_height != 3 || s->kernel_width != 3) return 0;
    if (s->top < 0 || s->left < 0 || s->channels < LEAST || s->outputs < LEAST) return 0;
    long pixels = s->out_height * s->out_width;
    long tiled = (s->out_height + 3) / 4 * 4 * ((s->out_width + 15) / 16 * 16);
    // A picture's path must not depend on the batch: its bits would.
    return pixels >= 256 && 4 * tiled <= 5 * pixels;
}

// About equal parts of whole panels.
static void divide_outputs(winograd_job *job, long parts) {
    long outputs = job->shape->outputs, width = (outputs + parts - 1) / parts;
    job->width = (width + PANEL - 1) / PANEL * PANEL;
    job->parts = (outputs + job->width - 1) / job->width;
}

void ck_winograd(ck_pool *pool, const ck_convolution *s, const float *x, ck_kernel_weights weights,
                 const float *bias, const ck_convolution_fusion *fusion, float *y) {
    winograd_job job = {.shape = s, .x = x, .bias = bias, .weights = weights, .y = y};
    if (fusion) job.fusion = *fusion;
    job.row_quads = (s->out_width + QUAD - 1) / QUAD;
    job.quads = (s->out_height + TILE - 1) / TILE * job.row_quads;
    long threads = pool ? ck_pool_threads(pool) : 1;
    // Both orders give the same bits. Whichever is smaller of transformed weights and inputs is kept whole.
    int tiles_outside = s->batch * job.quads * TILE >= s->outputs;
    // Half blocks are slower, but a small picture would otherwise not occupy the threads.
    int few = tiles_outside && s->batch * job.quads < 4 * BLOCK * threads;
    job.block = few ? BLOCK / 2 : BLOCK;
    job.blocks = (job.quads + job.block - 1) / job.block;
    job.splits = 1;
    if (tiles_outside) {
        divide_outputs(&job, (s->outputs + OUTPUTS - 1) / OUTPUTS);
        job.transformed = ck_scratch(WHOLE, job.parts * part_floats(&job));
        long tasks = s->batch * job.blocks;
        while (tasks * job.splits < 4 * threads && s->outputs / job.splits >= 4 * OUTPUTS)
            job.splits *= 2;
        // Waking a thread takes as long as some thousand kernels.
        long grain = 1 + 8192 / (job.width * s->channels);
        ck_parallel_for(pool, job.parts, grain, weights_body, &job);
        ck_parallel_for(pool, tasks * job.splits, 1, tiles_body, &job);
        return;
    }
    job.inputs = ck_scratch(WHOLE, job.blocks * POINTS * input_floats(&job, job.block * TILE));
    divide_outputs(&job, ck_max((s->outputs + OUTPUTS - 1) / OUTPUTS, 2 * threads));
    for (job.image = 0; job.image < s->batch; job.image++) {
        long groups = (s->channels + CHANNELS - 1) / CHANNELS;
        ck_parallel_for(pool, job.blocks * groups, 1, inputs_body, &job);
        ck_parallel_for(pool, job.parts, 1, parts_body, &job);
    }
}
