// Batch normalisation and nonlinearity of scalar and planar vector fields.
// SPDX-License-Identifier: Apache-2.0
#include "ck_fields.h"

#include <stddef.h>

#include "ck_math.h"
#include "ck_sums.h"

typedef struct {
    const ck_fields *fields;
    const float *x, *dy, *statistics;
    float momentum;
    float *running_mean, *running_variance, *vector_variance, *y, *dx;
    float *new_statistics, *dweight, *dbias, *dvector_weight, *dlog_bias;
    int of_batch;
} field_job;

CK_INLINE long field_count(const ck_fields *f) { return f->scalars + f->vectors; }

/// Where a field's first channel of a picture starts.
CK_INLINE long field_offset(const ck_fields *f, long image, long field) {
    long channel = field < f->scalars ? field : 2 * field - f->scalars;
    return (image * (f->scalars + 2 * f->vectors) + channel) * f->pixels;
}

CK_INLINE void scalar_statistics(const field_job *job, long c) {
    const ck_fields *f = job->fields;
    double n = (double)(f->batch * f->pixels), sum = 0, squares = 0;
    double mean = job->running_mean[c], variance = job->running_variance[c];
    if (job->momentum >= 0) {
        for (long b = 0; b < f->batch; b++) {
            const float *x = job->x + field_offset(f, b, c);
            double part;
            CK_SUM(part, f->pixels, x[i]);
            sum += part;
        }
        mean = sum / n;
        float centre = (float)mean;
        for (long b = 0; b < f->batch; b++) {
            const float *x = job->x + field_offset(f, b, c);
            double part;
            CK_SUM(part, f->pixels, (x[i] - centre) * (x[i] - centre));
            squares += part;
        }
        variance = squares / n;
        float m = job->momentum, unbiased = (float)(n > 1 ? squares / (n - 1) : variance);
        job->running_mean[c] += m * ((float)mean - job->running_mean[c]);
        job->running_variance[c] += m * (unbiased - job->running_variance[c]);
    }
    job->new_statistics[c] = (float)mean;
    job->new_statistics[field_count(f) + c] = (float)(1.0 / sqrt(variance + f->epsilon));
}

CK_INLINE void vector_statistics(const field_job *job, long v) {
    const ck_fields *f = job->fields;
    double n = (double)(f->batch * f->pixels), squares = 0;
    if (job->momentum >= 0) {
        for (long b = 0; b < f->batch; b++) {
            const float *x = job->x + field_offset(f, b, f->scalars + v);
            double part;
            CK_SUM(part, 2 * f->pixels, x[i] * x[i]);
            squares += part;
        }
        float unbiased = (float)(squares / 2 / (n > 1 ? n - 1 : n));
        job->vector_variance[v] += job->momentum * (unbiased - job->vector_variance[v]);
    }
    long at = f->scalars + v;
    job->new_statistics[at] = 0;
    job->new_statistics[field_count(f) + at] =
        (float)(1.0 / sqrt((double)job->vector_variance[v] + f->epsilon));
}

CK_KERNEL static void statistics_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const field_job *job = raw;
    for (long field = begin; field < end; field++)
        if (field < job->fields->scalars)
            scalar_statistics(job, field);
        else
            vector_statistics(job, field - job->fields->scalars);
}

static long grain_of(const ck_fields *f, long batch) { return 32768 / (batch * f->pixels + 1) + 1; }

void ck_field_statistics(ck_pool *pool, const ck_fields *fields, const float *x, float momentum,
                         float *running_mean, float *running_variance, float *vector_variance,
                         float *statistics) {
    field_job job = {.fields = fields, .x = x, .momentum = momentum, .running_mean = running_mean,
                     .running_variance = running_variance, .vector_variance = vector_variance,
                     .new_statistics = statistics};
    ck_parallel_for(pool, field_count(fields), grain_of(fields, fields->batch), statistics_body,
                    &job);
}

// The factor v · gain of the vector nonlinearity, and 1/|v|; both 0 in the dead zone's centre.
CK_INLINE float vector_gain(float a, float b, float threshold, float *inverse) {
    float norm = sqrtf(a * a + b * b);
    *inverse = norm > 1e-10f ? 1.0f / norm : 0.0f;
    float above = norm - threshold;
    return above > 0.0f ? above * *inverse : 0.0f;
}

CK_INLINE void forward_plane(const field_job *job, long image, long field) {
    const ck_fields *f = job->fields;
    const float *x = job->x + field_offset(f, image, field);
    float *y = job->y + field_offset(f, image, field);
    float mean = job->statistics[field], rstd = job->statistics[field_count(f) + field];
    if (field < f->scalars) {
        float scale = rstd * f->weight[field], shift = f->bias[field] - mean * scale;
        if (f->activates)
            for (long i = 0; i < f->pixels; i++) {
                float z = x[i] * scale + shift;
                y[i] = z > 0.0f ? z : 0.0f;
            }
        else
            for (long i = 0; i < f->pixels; i++) y[i] = x[i] * scale + shift;
        return;
    }
    long v = field - f->scalars;
    float scale = rstd * f->vector_weight[v];
    const float *second = x + f->pixels;
    if (!f->activates) {
        for (long i = 0; i < 2 * f->pixels; i++) y[i] = x[i] * scale;
        return;
    }
    float threshold = expf(f->log_bias[v]);
    for (long i = 0; i < f->pixels; i++) {
        float a = x[i] * scale, b = second[i] * scale, inverse;
        float gain = vector_gain(a, b, threshold, &inverse);
        y[i] = a * gain;
        y[f->pixels + i] = b * gain;
    }
}

CK_KERNEL static void forward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const field_job *job = raw;
    long fields = field_count(job->fields);
    for (long task = begin; task < end; task++) forward_plane(job, task / fields, task % fields);
}

void ck_field_norm_forward(ck_pool *pool, const ck_fields *fields, const float *x,
                           const float *statistics, float *y) {
    field_job job = {.fields = fields, .x = x, .statistics = statistics, .y = y};
    ck_parallel_for(pool, fields->batch * field_count(fields), grain_of(fields, 1), forward_body,
                    &job);
}

// dx holds the gradient behind the activation until the sums are known.
CK_INLINE void scalar_backward(const field_job *job, long c) {
    const ck_fields *f = job->fields;
    float mean = job->statistics[c], rstd = job->statistics[field_count(f) + c];
    float weight = f->weight[c], scale = rstd * weight, shift = f->bias[c] - mean * scale;
    double dbias = 0, dweight = 0;
    for (long b = 0; b < f->batch; b++) {
        long at = field_offset(f, b, c);
        const float *x = job->x + at, *dy = job->dy + at;
        float *dz = job->dx + at;
        if (f->activates)
            for (long i = 0; i < f->pixels; i++) dz[i] = x[i] * scale + shift > 0.0f ? dy[i] : 0.0f;
        else
            for (long i = 0; i < f->pixels; i++) dz[i] = dy[i];
        double sum, product;
        CK_SUM(sum, f->pixels, dz[i]);
        CK_SUM(product, f->pixels, dz[i] * (x[i] - mean));
        dbias += sum;
        dweight += product;
    }
    dweight *= rstd;
    job->dweight[c] = (float)dweight;
    job->dbias[c] = (float)dbias;
    double n = (double)(f->batch * f->pixels);
    float a = job->of_batch ? (float)(dbias / n) : 0.0f;
    float k = job->of_batch ? (float)(dweight / n) * rstd : 0.0f;
    for (long b = 0; b < f->batch; b++) {
        long at = field_offset(f, b, c);
        const float *x = job->x + at;
        float *dx = job->dx + at;
        for (long i = 0; i < f->pixels; i++) dx[i] = scale * (dx[i] - a - (x[i] - mean) * k);
    }
}

CK_INLINE void vector_backward(const field_job *job, long v) {
    const ck_fields *f = job->fields;
    float rstd = job->statistics[field_count(f) + f->scalars + v];
    float scale = rstd * f->vector_weight[v];
    float threshold = f->activates ? expf(f->log_bias[v]) : 0.0f;
    double dscale = 0, dthreshold = 0;
    for (long b = 0; b < f->batch; b++) {
        long at = field_offset(f, b, f->scalars + v);
        const float *x0 = job->x + at, *x1 = x0 + f->pixels;
        const float *g0 = job->dy + at, *g1 = g0 + f->pixels;
        float *d0 = job->dx + at, *d1 = d0 + f->pixels;
        if (f->activates) {
            for (long i = 0; i < f->pixels; i++) {
                float p = x0[i] * scale, q = x1[i] * scale, inverse;
                float gain = vector_gain(p, q, threshold, &inverse);
                float pull = gain > 0.0f ? (g0[i] * p + g1[i] * q) * inverse : 0.0f;
                float bend = pull * threshold * inverse * inverse;
                d0[i] = g0[i] * gain + p * bend;
                d1[i] = g1[i] * gain + q * bend;
            }
            double part;
            CK_SUM(part, f->pixels,
                   (x0[i] * scale) * (x0[i] * scale) + (x1[i] * scale) * (x1[i] * scale) >
                           threshold * threshold
                       ? (g0[i] * x0[i] + g1[i] * x1[i]) /
                             sqrtf(x0[i] * x0[i] + x1[i] * x1[i] + 1e-30f)
                       : 0.0f);
            dthreshold -= scale < 0 ? -part : part;
        } else {
            for (long i = 0; i < 2 * f->pixels; i++) d0[i] = g0[i];
        }
        double product;
        CK_SUM(product, 2 * f->pixels, d0[i] * x0[i]);
        dscale += product;
        for (long i = 0; i < 2 * f->pixels; i++) d0[i] *= scale;
    }
    job->dvector_weight[v] = (float)(dscale * rstd);
    job->dlog_bias[v] = (float)(dthreshold * threshold);
}

CK_KERNEL static void backward_body(void *raw, long begin, long end, int worker) {
    (void)worker;
    const field_job *job = raw;
    for (long field = begin; field < end; field++)
        if (field < job->fields->scalars)
            scalar_backward(job, field);
        else
            vector_backward(job, field - job->fields->scalars);
}

void ck_field_norm_backward(ck_pool *pool, const ck_fields *fields, const float *x,
                            const float *dy, const float *statistics, int of_batch, float *dx,
                            float *dweight, float *dbias, float *dvector_weight,
                            float *dlog_bias) {
    field_job job = {.fields = fields, .x = x, .dy = dy, .statistics = statistics,
                     .of_batch = of_batch, .dx = dx, .dweight = dweight, .dbias = dbias,
                     .dvector_weight = dvector_weight, .dlog_bias = dlog_bias};
    ck_parallel_for(pool, field_count(fields), grain_of(fields, fields->batch), backward_body,
                    &job);
}

// MARK: Filters made of basis filters

/// Walks the block's rows of taps: `body` sees the row of the filter, that of the basis and the weight's place.
#define FOR_ROWS(block, inputs, taps, body)                                                      \
    for (long o = 0; o < (block)->out_fields; o++)                                               \
        for (long a = 0; a < (block)->out_size; a++)                                             \
            for (long i = 0; i < (block)->in_fields; i++)                                        \
                for (long c = 0; c < (block)->in_size; c++) {                                    \
                    long row = (((block)->out_start + o * (block)->out_size + a) * (inputs) +    \
                                (block)->in_start + i * (block)->in_size + c) *                  \
                               (taps);                                                           \
                    for (long e = 0; e < (block)->elements; e++) {                               \
                        long weight = (block)->weight_start +                                    \
                                      (o * (block)->in_fields + i) * (block)->elements + e;      \
                        long from = (block)->basis_start +                                       \
                                    ((e * (block)->out_size + a) * (block)->in_size + c) *       \
                                        (taps);                                                  \
                        body                                                                     \
                    }                                                                            \
                }

void ck_basis_expand(const ck_basis_block *block, const float *weights, const float *basis,
                     long inputs, long taps, float *filter) {
    FOR_ROWS(block, inputs, taps, {
        for (long t = 0; t < taps; t++) filter[row + t] += weights[weight] * basis[from + t];
    })
}

void ck_basis_project(const ck_basis_block *block, const float *dfilter, const float *basis,
                      long inputs, long taps, float *dweights) {
    long count = block->out_fields * block->in_fields * block->elements;
    for (long i = 0; i < count; i++) dweights[block->weight_start + i] = 0;
    FOR_ROWS(block, inputs, taps, {
        float sum = 0;
        for (long t = 0; t < taps; t++) sum += dfilter[row + t] * basis[from + t];
        dweights[weight] += sum;
    })
}
