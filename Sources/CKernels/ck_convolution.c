// Convolution with stride 1: register-tiled products straight from padded planes, no im2col.
// Other strides, and paddings wider than the kernel, are in ck_convolution_strided.c.
// SPDX-License-Identifier: Apache-2.0
#include "ck_convolution.h"

#include <stdlib.h>

#include "ck_convolution_strided.h"
#include "ck_planes.h"

enum { PLANES, SUMS };  // scratch slots

typedef struct {
    const ck_convolution *shape;
    const float *x, *w, *bias;
    float *y;
    const int32_t *offsets;
    long rows, bands;             // output rows of a band
    long inputs, outputs;         // channels of a group
    long channel_block;           // input channels of one product
    long output_block, blocks;    // output channels of one job
} direct_job;

// y[o, r, j] = sums[o, r·pitch + j] + bias[o].
CK_KERNEL static void store_band(const float *sums, long positions, long pitch, const float *bias,
                                 long channels, long rows, long width, float *y, long plane) {
    for (long o = 0; o < channels; o++) {
        float b = bias ? bias[o] : 0;
        for (long r = 0; r < rows; r++) {
            const float *from = sums + o * positions + r * pitch;
            float *to = y + o * plane + r * width;
            for (long j = 0; j < width; j++) to[j] = from[j] + b;
        }
    }
}

CK_KERNEL static void fill_planes(const ck_band *band, const float *x, long channels, long height,
                                  long width, long first, float *out) {
    ck_fill_planes(band, x, channels, height, width, first, out);
}

static void direct_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const direct_job *job = raw;
    const ck_convolution *s = job->shape;
    long taps = s->kernel_height * s->kernel_width, depth = job->inputs * taps;
    for (long task = begin; task < end; task++) {
        long block = task % job->blocks, band_index = task / job->blocks % job->bands;
        long group = task / job->blocks / job->bands % s->groups;
        long image = task / job->blocks / job->bands / s->groups;
        long first_row = band_index * job->rows;
        long rows = ck_min(job->rows, s->out_height - first_row);
        long first = block * job->output_block;
        long outputs = ck_min(job->output_block, job->outputs - first);
        first += group * job->outputs;
        // The offsets were made for full bands: a short last band keeps their planes.
        ck_band band = ck_make_band(s->width, s->out_width, s->kernel_height, s->kernel_width,
                                    s->left, job->rows);
        long positions = rows * band.pitch, stride = CK_ROUND_UP(positions);
        if (stride % 1024 == 0) stride += CK_LANES;
        float *planes = ck_scratch(PLANES, job->channel_block * band.plane);
        float *sums = ck_scratch(SUMS, outputs * stride);
        const float *x =
            job->x + (image * s->channels + group * job->inputs) * s->height * s->width;
        for (long c = 0; c < job->inputs; c += job->channel_block) {
            long channels = ck_min(job->channel_block, job->inputs - c);
            fill_planes(&band, x + c * s->height * s->width, channels, s->height, s->width,
                        first_row - s->top, planes);
            ck_product_gathered(outputs, positions, channels * taps,
                                job->w + first * depth + c * taps, depth, 1, planes, job->offsets,
                                sums, stride, c > 0);
        }
        long plane = s->out_height * s->out_width;
        store_band(sums, stride, band.pitch, job->bias ? job->bias + first : NULL, outputs, rows,
                   s->out_width,
                   job->y + (image * s->outputs + first) * plane + first_row * s->out_width, plane);
    }
}

// Sizes that keep a job's planes and sums in the second-level cache (about 300 KiB each).
static void plan_direct(direct_job *job, int threads) {
    const ck_convolution *s = job->shape;
    long taps = s->kernel_height * s->kernel_width;
    ck_band one = ck_make_band(s->width, s->out_width, s->kernel_height, s->kernel_width, s->left, 1);
    job->inputs = s->channels / s->groups;
    job->outputs = s->outputs / s->groups;
    long target = taps >= 4 ? 640 : 256;
    job->rows = ck_min(ck_max(target / one.pitch, 1), s->out_height);
    if (job->rows < s->out_height) {
        // Bands of equal height leave no thin last one.
        long bands = (s->out_height + job->rows - 1) / job->rows;
        job->rows = (s->out_height + bands - 1) / bands;
    }
    job->bands = (s->out_height + job->rows - 1) / job->rows;
    long depth = taps >= 4 ? 576 : 256;
    long parts = (job->inputs * taps + depth - 1) / depth;
    job->channel_block = (job->inputs + parts - 1) / parts;
    long tasks = s->batch * s->groups * job->bands;
    long blocks = (job->outputs + 127) / 128;
    while (tasks * blocks < 4L * threads && job->outputs / blocks > 32) blocks *= 2;
    job->output_block = ((job->outputs + blocks - 1) / blocks + 7) / 8 * 8;
    job->blocks = (job->outputs + job->output_block - 1) / job->output_block;
}

static void direct(ck_pool *pool, const ck_convolution *s, const float *x, const float *w,
                   const float *bias, float *y) {
    direct_job job = {.shape = s, .x = x, .w = w, .bias = bias, .y = y};
    plan_direct(&job, pool ? ck_pool_threads(pool) : 1);
    ck_band band = ck_make_band(s->width, s->out_width, s->kernel_height, s->kernel_width, s->left,
                                job.rows);
    long taps = s->kernel_height * s->kernel_width;
    int32_t *offsets = ck_allocate(job.channel_block * taps * (long)sizeof *offsets);
    int32_t *next = offsets;
    for (long c = 0; c < job.channel_block; c++)
        for (long u = 0; u < s->kernel_height; u++)
            for (long v = 0; v < s->kernel_width; v++)
                *next++ = (int32_t)(c * band.plane + u * band.pitch + v);
    job.offsets = offsets;
    ck_parallel_for(pool, s->batch * s->groups * job.bands * job.blocks, 1, direct_body, &job);
    free(offsets);
}

// MARK: Weights

enum { TRANSPOSED = 0, GAPPED = 1 };

typedef struct {
    const ck_convolution *shape;
    const float *x, *dy;
    float *partial;
    long rows, bands, slabs, inputs, outputs, padded;
} weight_job;

// Turns planes [channels][plane] into [position][padded]: channels become the vectors of the product.
CK_KERNEL static void transpose_planes(const float *planes, long plane, long channels, long padded,
                                       float *out) {
    for (long c = 0; c < padded; c += 16) {
        long count = ck_min(16, channels - c);
        for (long p = 0; p < plane; p += 16) {
            // The block is read by rows and written by rows; its 16 × 16 floats stay in the cache.
            float block[16][16];
            if (count < 16) memset(block, 0, sizeof block);
            for (long i = 0; i < count; i++)
                for (long k = 0; k < 16; k++) block[k][i] = planes[(c + i) * plane + p + k];
            for (long k = 0; k < 16; k++)
                for (long i = 0; i < 16; i++) out[(p + k) * padded + c + i] = block[k][i];
        }
    }
}

// Rows of dy with zeros in the gaps between out_width and pitch.
CK_KERNEL static void fill_gapped(const float *dy, long channels, long rows, long width, long plane,
                                  long pitch, long positions, float *out) {
    for (long o = 0; o < channels; o++) {
        float *row = out + o * positions;
        for (long r = 0; r < rows; r++, row += pitch) {
            const float *from = dy + o * plane + r * width;
            for (long j = 0; j < width; j++) row[j] = from[j];
            for (long j = width; j < pitch; j++) row[j] = 0;
        }
    }
}

static void weight_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const weight_job *job = raw;
    const ck_convolution *s = job->shape;
    long taps = s->kernel_height * s->kernel_width;
    long size = taps * job->outputs * job->padded;
    long items = s->batch * job->bands;
    ck_band band =
        ck_make_band(s->width, s->out_width, s->kernel_height, s->kernel_width, s->left, job->rows);
    for (long task = begin; task < end; task++) {
        long slab = task % job->slabs, group = task / job->slabs;
        float *partial = job->partial + task * size;
        float *planes = ck_scratch(2, job->inputs * band.plane);
        float *transposed = ck_scratch(TRANSPOSED, job->padded * band.plane);
        float *gapped = ck_scratch(GAPPED, job->outputs * (band.positions + CK_LANES));
        long item = items * slab / job->slabs, stop = items * (slab + 1) / job->slabs;
        for (int accumulate = 0; item < stop; item++, accumulate = 1) {
            long image = item / job->bands, first_row = item % job->bands * job->rows;
            long rows = ck_min(job->rows, s->out_height - first_row);
            long stride = rows * band.pitch;
            if (stride % 1024 == 0) stride += CK_LANES;
            fill_planes(&band,
                        job->x + (image * s->channels + group * job->inputs) * s->height * s->width,
                        job->inputs, s->height, s->width, first_row - s->top, planes);
            transpose_planes(planes, band.plane, job->inputs, job->padded, transposed);
            long plane = s->out_height * s->out_width;
            fill_gapped(job->dy + (image * s->outputs + group * job->outputs) * plane +
                            first_row * s->out_width,
                        job->outputs, rows, s->out_width, plane, band.pitch, stride, gapped);
            for (long u = 0; u < s->kernel_height; u++)
                for (long v = 0; v < s->kernel_width; v++)
                    ck_product(job->outputs, job->padded, rows * band.pitch, gapped, stride, 1,
                               transposed + (u * band.pitch + v) * job->padded, job->padded,
                               partial + (u * s->kernel_width + v) * job->outputs * job->padded,
                               job->padded, accumulate);
        }
    }
}

typedef struct {
    const weight_job *weights;
    float *dw;
} gather_job;

// dw[o, c, tap] = Σ over slabs, in their order.
static void gather_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *gather = raw;
    const weight_job *job = gather->weights;
    long taps = job->shape->kernel_height * job->shape->kernel_width;
    long size = taps * job->outputs * job->padded;
    for (long o = begin; o < end; o++) {
        long group = o / job->outputs, row = o % job->outputs;
        float *out = gather->dw + o * job->inputs * taps;
        memset(out, 0, sizeof(float) * (size_t)(job->inputs * taps));
        for (long slab = 0; slab < job->slabs; slab++) {
            const float *partial =
                job->partial + (group * job->slabs + slab) * size + row * job->padded;
            for (long t = 0; t < taps; t++)
                for (long c = 0; c < job->inputs; c++)
                    out[c * taps + t] += partial[t * job->outputs * job->padded + c];
        }
    }
}

static void weight_direct(ck_pool *pool, const ck_convolution *s, const float *x, const float *dy,
                          float *dw) {
    weight_job job = {.shape = s, .x = x, .dy = dy};
    job.inputs = s->channels / s->groups;
    job.outputs = s->outputs / s->groups;
    job.padded = CK_ROUND_UP(job.inputs);
    ck_band one = ck_make_band(s->width, s->out_width, s->kernel_height, s->kernel_width, s->left, 1);
    long target = ck_max(ck_min(900, 65536 / job.padded), one.pitch);
    job.rows = ck_min(ck_max(target / one.pitch, 1), s->out_height);
    job.bands = (s->out_height + job.rows - 1) / job.rows;
    long size = s->kernel_height * s->kernel_width * job.outputs * job.padded;
    job.slabs = ck_max(1, ck_min(ck_min(16, s->batch * job.bands), (16L << 20) / size));
    job.partial = ck_allocate(s->groups * job.slabs * size * (long)sizeof(float));
    ck_parallel_for(pool, s->groups * job.slabs, 1, weight_body, &job);
    gather_job gather = {&job, dw};
    ck_parallel_for(pool, s->outputs, 4, gather_body, &gather);
    free(job.partial);
}

// MARK: Entry points

// The padded planes hold at most one kernel's width of zeros on a side.
static int is_direct(const ck_convolution *s) {
    return s->stride == 1 && s->top < s->kernel_height && s->left < s->kernel_width;
}

void ck_convolution_forward(ck_pool *pool, const ck_convolution *s, const float *x, const float *w,
                            const float *bias, float *y) {
    if (is_direct(s)) direct(pool, s, x, w, bias, y);
    else ck_strided_forward(pool, s, x, w, bias, y);
}

void ck_convolution_backward_data(ck_pool *pool, const ck_convolution *s, const float *dy,
                                  const float *w, float *dx) {
    if (!is_direct(s)) {
        ck_strided_backward_data(pool, s, dy, w, dx);
        return;
    }
    // The adjoint is a convolution with the kernel turned round and the channels exchanged.
    long inputs = s->channels / s->groups, outputs = s->outputs / s->groups;
    long taps = s->kernel_height * s->kernel_width;
    float *turned = ck_allocate(s->channels * outputs * taps * (long)sizeof(float));
    for (long g = 0; g < s->groups; g++)
        for (long o = 0; o < outputs; o++)
            for (long c = 0; c < inputs; c++) {
                const float *from = w + ((g * outputs + o) * inputs + c) * taps;
                float *to = turned + ((g * inputs + c) * outputs + o) * taps;
                for (long t = 0; t < taps; t++) to[t] = from[taps - 1 - t];
            }
    ck_convolution adjoint = *s;
    adjoint.channels = s->outputs;
    adjoint.outputs = s->channels;
    adjoint.height = s->out_height;
    adjoint.width = s->out_width;
    adjoint.out_height = s->height;
    adjoint.out_width = s->width;
    adjoint.top = s->kernel_height - 1 - s->top;
    adjoint.left = s->kernel_width - 1 - s->left;
    direct(pool, &adjoint, dy, turned, NULL, dx);
    free(turned);
}

void ck_convolution_backward_weight(ck_pool *pool, const ck_convolution *s, const float *x,
                                    const float *dy, float *dw) {
    // With few channels the vectors of the direct product would be mostly padding.
    if (is_direct(s) && s->channels / s->groups >= 12) weight_direct(pool, s, x, dy, dw);
    else ck_strided_backward_weight(pool, s, x, dy, dw);
}

typedef struct {
    const ck_convolution *shape;
    const float *dy;
    float *db;
} bias_job;

CK_KERNEL static void bias_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const bias_job *job = raw;
    const ck_convolution *s = job->shape;
    long plane = s->out_height * s->out_width;
    for (long o = begin; o < end; o++) {
        double total = 0;
        for (long b = 0; b < s->batch; b++) {
            const float *dy = job->dy + (b * s->outputs + o) * plane;
            float lanes[16] = {0};
            long i = 0;
            for (; i + 16 <= plane; i += 16)
                for (int k = 0; k < 16; k++) lanes[k] += dy[i + k];
            for (int k = 0; i < plane; i++, k++) lanes[k] += dy[i];
            for (int k = 0; k < 16; k++) total += lanes[k];
        }
        job->db[o] = (float)total;
    }
}

void ck_convolution_backward_bias(ck_pool *pool, const ck_convolution *s, const float *dy,
                                  float *db) {
    bias_job job = {s, dy, db};
    ck_parallel_for(pool, s->outputs, 4, bias_body, &job);
}
