// Convolution by register-tiled products straight from padded planes: no im2col.
// SPDX-License-Identifier: Apache-2.0
#include "ck_convolution.h"

#include <stdlib.h>

#include "ck_convolution_columns.h"
#include "ck_planes.h"
#include "ck_winograd.h"

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
            ck_copy_row(y + o * plane + r * width, sums + o * positions + r * pitch, width, b);
        }
    }
}

CK_KERNEL static void fill_planes(const ck_convolution *s, const ck_band *band, const float *x,
                                  long channels, long first_row, float *out) {
    ck_fill_planes(s, band, x, channels, first_row, out);
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
        ck_band band = ck_make_band(s, job->rows);
        long positions = rows * band.pitch, stride = CK_ROUND_UP(positions);
        if (stride % 1024 == 0) stride += CK_LANES;
        float *planes = ck_scratch(PLANES, job->channel_block * band.channel);
        float *sums = ck_scratch(SUMS, outputs * stride);
        const float *x =
            job->x + (image * s->channels + group * job->inputs) * s->height * s->width;
        for (long c = 0; c < job->inputs; c += job->channel_block) {
            long channels = ck_min(job->channel_block, job->inputs - c);
            fill_planes(s, &band, x + c * s->height * s->width, channels, first_row, planes);
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

// MARK: 1 × 1

enum { POINTS = 192 };

CK_KERNEL static void add_bias(float *y, long plane, long channels, long count, const float *bias) {
    for (long o = 0; o < channels; o++)
        for (long i = 0; i < count; i++) y[o * plane + i] += bias[o];
}

CK_KERNEL static void copy_rows(const float *from, long from_row, long rows, long count, float *to,
                                long to_row, const float *bias) {
    for (long r = 0; r < rows; r++)
        ck_copy_row(to + r * to_row, from + r * from_row, count, bias ? bias[r] : 0);
}

// A 1 × 1 kernel is a matrix product on the planes as they lie; only columns that don't fill a
// vector go through a buffer.
static void pointwise_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const direct_job *job = raw;
    const ck_convolution *s = job->shape;
    long plane = s->height * s->width;
    for (long task = begin; task < end; task++) {
        long block = task % job->blocks, at = task / job->blocks % job->bands * POINTS;
        long group = task / job->blocks / job->bands % s->groups;
        long image = task / job->blocks / job->bands / s->groups;
        long first = block * job->output_block;
        long outputs = ck_min(job->output_block, job->outputs - first);
        first += group * job->outputs;
        const float *x = job->x + (image * s->channels + group * job->inputs) * plane + at;
        const float *w = job->w + first * job->inputs, *bias = job->bias ? job->bias + first : NULL;
        float *y = job->y + (image * s->outputs + first) * plane + at;
        long count = ck_min(POINTS, plane - at), whole = count / CK_LANES * CK_LANES;
        if (whole > 0) {
            ck_product(outputs, whole, job->inputs, w, job->inputs, 1, x, plane, y, plane, 0);
            if (bias) add_bias(y, plane, outputs, whole, bias);
        }
        if (whole == count) continue;
        float *rest = ck_scratch(PLANES, job->inputs * CK_LANES);
        float *sums = ck_scratch(SUMS, outputs * CK_LANES);
        memset(rest, 0, sizeof(float) * (size_t)(job->inputs * CK_LANES));
        copy_rows(x + whole, plane, job->inputs, count - whole, rest, CK_LANES, NULL);
        ck_product(outputs, CK_LANES, job->inputs, w, job->inputs, 1, rest, CK_LANES, sums,
                   CK_LANES, 0);
        copy_rows(sums, CK_LANES, outputs, count - whole, y + whole, plane, bias);
    }
}

static int is_pointwise(const ck_convolution *s) {
    return s->kernel_height == 1 && s->kernel_width == 1 && s->stride == 1 && s->top == 0 &&
           s->left == 0 && s->out_height == s->height && s->out_width == s->width;
}

// MARK: Forward

// Sizes that keep a job's planes and sums in the second-level cache (about 300 KiB each).
static void plan_direct(direct_job *job, int threads) {
    const ck_convolution *s = job->shape;
    long taps = s->kernel_height * s->kernel_width;
    ck_band one = ck_make_band(s, 1);
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
    if (is_pointwise(s)) {
        job.bands = (s->height * s->width + POINTS - 1) / POINTS;
        ck_parallel_for(pool, s->batch * s->groups * job.bands * job.blocks, 1, pointwise_body,
                        &job);
        return;
    }
    ck_band band = ck_make_band(s, job.rows);
    long taps = s->kernel_height * s->kernel_width;
    int32_t *offsets = ck_allocate(job.channel_block * taps * (long)sizeof *offsets);
    int32_t *next = offsets;
    for (long c = 0; c < job.channel_block; c++)
        for (long u = 0; u < s->kernel_height; u++)
            for (long v = 0; v < s->kernel_width; v++)
                *next++ = (int32_t)ck_tap_offset(&band, c, u, v);
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
    long blocks;  // of outputs; each is a task of its own
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
            ck_copy_row(row, dy + o * plane + r * width, width, 0);
            for (long j = width; j < pitch; j++) row[j] = 0;
        }
    }
}

static void weight_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const weight_job *job = raw;
    const ck_convolution *s = job->shape;
    long taps = s->kernel_height * s->kernel_width, tap_floats = job->outputs * job->padded;
    long items = s->batch * job->bands, plane = s->out_height * s->out_width;
    ck_band band = ck_make_band(s, job->rows);
    float *planes = ck_scratch(2, job->inputs * band.channel);
    float *transposed = ck_scratch(TRANSPOSED, job->padded * band.channel);
    float *gapped = ck_scratch(GAPPED, job->outputs * (job->rows * band.pitch + CK_LANES));
    for (long task = begin; task < end; task++) {
        long block = task % job->blocks, slab = task / job->blocks % job->slabs;
        long group = task / job->blocks / job->slabs;
        long first = job->outputs * block / job->blocks;
        long outputs = job->outputs * (block + 1) / job->blocks - first;
        float *partial = job->partial + (group * job->slabs + slab) * taps * tap_floats +
                         first * job->padded;
        first += group * job->outputs;
        long item = items * slab / job->slabs, stop = items * (slab + 1) / job->slabs;
        for (int accumulate = 0; item < stop; item++, accumulate = 1) {
            long image = item / job->bands, first_row = item % job->bands * job->rows;
            long rows = ck_min(job->rows, s->out_height - first_row);
            long stride = rows * band.pitch;
            if (stride % 1024 == 0) stride += CK_LANES;
            fill_planes(s, &band,
                        job->x + (image * s->channels + group * job->inputs) * s->height * s->width,
                        job->inputs, first_row, planes);
            transpose_planes(planes, band.channel, job->inputs, job->padded, transposed);
            fill_gapped(job->dy + (image * s->outputs + first) * plane + first_row * s->out_width,
                        outputs, rows, s->out_width, plane, band.pitch, stride, gapped);
            for (long u = 0; u < s->kernel_height; u++)
                for (long v = 0; v < s->kernel_width; v++)
                    ck_product(outputs, job->padded, rows * band.pitch, gapped, stride, 1,
                               transposed + ck_tap_offset(&band, 0, u, v) * job->padded, job->padded,
                               partial + (u * s->kernel_width + v) * tap_floats, job->padded,
                               accumulate);
        }
    }
}

typedef struct {
    const weight_job *weights;
    float *dw;
} gather_job;

// dw[o, c, tap] = Σ over slabs, in their order.
CK_KERNEL static void gather_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const gather_job *gather = raw;
    const weight_job *job = gather->weights;
    long taps = job->shape->kernel_height * job->shape->kernel_width;
    long size = taps * job->outputs * job->padded;
    float *sums = ck_scratch(0, job->padded);
    for (long o = begin; o < end; o++) {
        long group = o / job->outputs, row = o % job->outputs;
        float *out = gather->dw + o * job->inputs * taps;
        for (long t = 0; t < taps; t++) {
            const float *partial = job->partial + group * job->slabs * size +
                                   (t * job->outputs + row) * job->padded;
            memcpy(sums, partial, sizeof(float) * (size_t)job->padded);
            for (long slab = 1; slab < job->slabs; slab++)
                for (long c = 0; c < job->padded; c++) sums[c] += partial[slab * size + c];
            for (long c = 0; c < job->inputs; c++) out[c * taps + t] = sums[c];
        }
    }
}

static void weight_direct(ck_pool *pool, const ck_convolution *s, const float *x, const float *dy,
                          float *dw) {
    weight_job job = {.shape = s, .x = x, .dy = dy};
    job.inputs = s->channels / s->groups;
    job.outputs = s->outputs / s->groups;
    job.padded = CK_ROUND_UP(job.inputs);
    ck_band one = ck_make_band(s, 1);
    long target = ck_max(ck_min(900, 196608 / job.padded), one.pitch);
    job.rows = ck_min(ck_max(target / one.pitch, 1), s->out_height);
    job.bands = (s->out_height + job.rows - 1) / job.rows;
    long size = s->kernel_height * s->kernel_width * job.outputs * job.padded;
    job.slabs = ck_max(1, ck_min(ck_min(16, s->batch * job.bands), (4L << 20) / size));
    // Few slabs leave threads idle: outputs are cut too, though each task then transposes all inputs.
    long threads = pool ? ck_pool_threads(pool) : 1;
    job.blocks = 1;
    while (s->groups * job.slabs * job.blocks < 4 * threads && job.outputs / job.blocks >= 64)
        job.blocks *= 2;
    job.partial = ck_allocate(s->groups * job.slabs * size * (long)sizeof(float));
    ck_parallel_for(pool, s->groups * job.slabs * job.blocks, 1, weight_body, &job);
    gather_job gather = {&job, dw};
    ck_parallel_for(pool, s->outputs, 4, gather_body, &gather);
    free(job.partial);
}

// MARK: Entry points

void ck_convolution_forward(ck_pool *pool, const ck_convolution *s, const float *x, const float *w,
                            const float *bias, float *y) {
    if (ck_winograd_suits(s)) {
        ck_kernel_weights weights = {.w = w, .output = s->channels * 9, .input = 9};
        ck_winograd(pool, s, x, weights, bias, NULL, y);
    } else {
        direct(pool, s, x, w, bias, y);
    }
}

int ck_convolution_fuses(const ck_convolution *s) { return ck_winograd_suits(s); }

void ck_convolution_fused(ck_pool *pool, const ck_convolution *s, const float *x, const float *w,
                          const float *bias, const ck_convolution_fusion *fusion, float *y) {
    ck_kernel_weights weights = {.w = w, .output = s->channels * 9, .input = 9};
    ck_winograd(pool, s, x, weights, bias, fusion, y);
}

void ck_convolution_backward_data(ck_pool *pool, const ck_convolution *s, const float *dy,
                                  const float *w, float *dx) {
    if (s->stride > 1) {
        ck_columns_backward_data(pool, s, dy, w, dx);
        return;
    }
    // The adjoint is a convolution with the kernel turned round and the channels exchanged.
    long inputs = s->channels / s->groups, outputs = s->outputs / s->groups;
    long taps = s->kernel_height * s->kernel_width;
    ck_convolution adjoint = *s;
    adjoint.channels = s->outputs;
    adjoint.outputs = s->channels;
    adjoint.height = s->out_height;
    adjoint.width = s->out_width;
    adjoint.out_height = s->height;
    adjoint.out_width = s->width;
    adjoint.top = s->kernel_height - 1 - s->top;
    adjoint.left = s->kernel_width - 1 - s->left;
    if (ck_winograd_suits(&adjoint)) {
        ck_kernel_weights weights = {
            .w = w, .output = taps, .input = inputs * taps, .turned = 1};
        ck_winograd(pool, &adjoint, dy, weights, NULL, NULL, dx);
        return;
    }
    float *turned = ck_allocate(s->channels * outputs * taps * (long)sizeof(float));
    for (long g = 0; g < s->groups; g++)
        for (long o = 0; o < outputs; o++)
            for (long c = 0; c < inputs; c++) {
                const float *from = w + ((g * outputs + o) * inputs + c) * taps;
                float *to = turned + ((g * inputs + c) * outputs + o) * taps;
                for (long t = 0; t < taps; t++) to[t] = from[taps - 1 - t];
            }
    direct(pool, &adjoint, dy, turned, NULL, dx);
    free(turned);
}

void ck_convolution_backward_weight(ck_pool *pool, const ck_convolution *s, const float *x,
                                    const float *dy, float *dw) {
    if (ck_winograd_gradient_suits(s)) {
        ck_winograd_gradient(pool, s, x, dy, dw);
        return;
    }
    // With fewer channels the vectors of the direct product would be mostly padding.
    if (s->channels / s->groups >= 6) weight_direct(pool, s, x, dy, dw);
    else ck_columns_backward_weight(pool, s, x, dy, dw);
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
