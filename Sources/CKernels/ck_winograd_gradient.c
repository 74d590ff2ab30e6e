// The gradient to the weights by way of Winograd's transforms: the adjoint of F(4 × 4, 3 × 3).
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "ck_math.h"
#include "ck_micro.h"
#include "ck_planes.h"
#include "ck_winograd.h"
#include "ck_winograd_transforms.h"

enum { INPUTS = 0, TURNED = 1, GRADIENTS = 3 };  // scratch slots; ck_winograd_inputs has its own

typedef struct {
    const ck_convolution *shape;
    const float *x, *dy;
    float *partial;        // [slab][point][output][padded]
    long padded, point;    // channels; floats of a point
    long blocks, slabs;    // blocks of tiles of a picture
    long parts;            // of outputs; each is a task of its own
} gradient_job;

#define CK_TEMPLATE "ck_winograd_gradient_template.h"
#include "ck_every_level.h"

static void slab_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gradient_job *job = raw;
    const ck_convolution *s = job->shape;
    long tiles = BLOCK * TILE, plane = s->out_height * s->out_width;
    float *inputs = ck_scratch(INPUTS, POINTS * (s->channels * tiles + CK_LANES));
    float *turned = ck_scratch(TURNED, POINTS * (job->padded * tiles + CK_LANES));
    float *gradients = ck_scratch(GRADIENTS, POINTS * (s->outputs * tiles + CK_LANES));
    for (long task = begin; task < end; task++) {
        long part = task % job->parts, slab = task / job->parts;
        long first = s->outputs * part / job->parts;
        long outputs = s->outputs * (part + 1) / job->parts - first;
        float *partial = job->partial + slab * POINTS * job->point + first * job->padded;
        long items = s->batch * job->blocks;
        long start = items * slab / job->slabs, stop = items * (slab + 1) / job->slabs;
        for (long item = start; item < stop; item++) {
            long image = item / job->blocks;
            ck_winograd_block block = {.index = item % job->blocks};
            ck_winograd_inputs(s, job->x, image, &block, inputs);
            CALL(turn_inputs, job, inputs, block.tiles, turned);
            CALL(transform_gradients, job, job->dy + (image * s->outputs + first) * plane, &block,
                 outputs, gradients);
            for (long point = 0; point < POINTS; point++)
                ck_product(outputs, job->padded, block.tiles,
                           gradients + point * (outputs * block.tiles + CK_LANES), block.tiles, 1,
                           turned + point * (block.tiles * job->padded + CK_LANES), job->padded,
                           partial + point * job->point, job->padded, item > start);
        }
    }
}

typedef struct {
    const gradient_job *job;
    float *dw;
} gather_job;

static void gather_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *gather = raw;
    for (long o = begin; o < end; o++)
        CALL(gather_kernels, gather->job, o, gather->dw + o * gather->job->shape->channels * 9);
}

static long tiles_of_picture(const ck_convolution *s) {
    return (s->out_height + TILE - 1) / TILE * ((s->out_width + QUAD - 1) / QUAD) * 4;
}

int ck_winograd_gradient_suits(const ck_convolution *s) {
    return ck_winograd_suits(s) && s->batch * tiles_of_picture(s) >= ck_max(s->channels, s->outputs);
}

void ck_winograd_gradient(ck_pool *pool, const ck_convolution *s, const float *x, const float *dy,
                          float *dw) {
    gradient_job job = {.shape = s, .x = x, .dy = dy, .padded = CK_ROUND_UP(s->channels)};
    job.point = s->outputs * job.padded + CK_LANES;
    job.blocks = (tiles_of_picture(s) + BLOCK * TILE - 1) / (BLOCK * TILE);
    // As many slabs as the shape says, so that threads don't change the order of a sum.
    long size = POINTS * job.point, threads = pool ? ck_pool_threads(pool) : 1;
    job.slabs = ck_max(1, ck_min(ck_min(16, s->batch * job.blocks), (4L << 20) / size));
    job.parts = 1;
    while (job.slabs * job.parts < 4 * threads && s->outputs / job.parts >= 64) job.parts *= 2;
    job.partial = ck_allocate(job.slabs * size * (long)sizeof(float));
    ck_parallel_for(pool, job.slabs * job.parts, 1, slab_body, &job);
    gather_job gather = {&job, dw};
    ck_parallel_for(pool, s->outputs, 8, gather_body, &gather);
    free(job.partial);
}
