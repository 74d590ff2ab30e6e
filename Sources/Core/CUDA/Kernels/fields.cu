// Scalar and vector fields on CUDA: batch normalisation with nonlinearity, filters made of basis
// filters, rotation of pictures. SPDX-License-Identifier: Apache-2.0

// A map x [batch, scalars + 2·vectors, pixels]; `field` counts scalars first, then vectors.
__device__ __forceinline__ int64_t field_offset(
    int64_t image, int field, int scalars, int vectors, int pixels) {
    const int channel = field < scalars ? field : 2 * field - scalars;
    return (image * (scalars + 2 * vectors) + channel) * pixels;
}

// One block a field; its warps share out the pictures, lanes the pixels.
template <typename F>
__device__ __forceinline__ float field_sum(int batch, int length, float* scratch, F value) {
    const int lane = threadIdx.x & 31;
    float sum = 0;
    for (int b = threadIdx.x >> 5; b < batch; b += blockDim.x >> 5)
        for (int i = lane; i < length; i += 32) sum += value(b, i);
    return block_sum(sum, scratch);
}

extern "C" __global__ void field_statistics(
    const float* x, float* running_mean, float* running_variance, float* vector_variance,
    float* statistics, int batch, int scalars, int vectors, int pixels, float epsilon,
    float momentum) {
    __shared__ float scratch[32];
    const int field = blockIdx.x, fields = scalars + vectors;
    const float n = (float)batch * (float)pixels, less = n > 1 ? n - 1 : n;
    if (field < scalars) {
        float mean = running_mean[field], variance = running_variance[field];
        if (momentum >= 0) {
            mean = field_sum(batch, pixels, scratch, [&](int b, int i) {
                return x[field_offset(b, field, scalars, vectors, pixels) + i];
            }) / n;
            const float squares = field_sum(batch, pixels, scratch, [&](int b, int i) {
                const float d = x[field_offset(b, field, scalars, vectors, pixels) + i] - mean;
                return d * d;
            });
            variance = squares / n;
            if (threadIdx.x == 0) {
                running_mean[field] += momentum * (mean - running_mean[field]);
                running_variance[field] += momentum * (squares / less - running_variance[field]);
            }
        }
        if (threadIdx.x == 0) {
            statistics[field] = mean;
            statistics[fields + field] = 1.0f / sqrtf(variance + epsilon);
        }
        return;
    }
    const int v = field - scalars;
    float variance = vector_variance[v];
    if (momentum >= 0) {
        const float squares = field_sum(batch, 2 * pixels, scratch, [&](int b, int i) {
            const float a = x[field_offset(b, field, scalars, vectors, pixels) + i];
            return a * a;
        });
        variance += momentum * (squares / 2 / less - variance);
        if (threadIdx.x == 0) vector_variance[v] = variance;
    }
    if (threadIdx.x == 0) {
        statistics[field] = 0;
        statistics[fields + field] = 1.0f / sqrtf(variance + epsilon);
    }
}

// The factor of the vector nonlinearity, and 1/|v|; both 0 where |v| is not above 1e-10.
__device__ __forceinline__ float vector_gain(float a, float b, float threshold, float& inverse) {
    const float norm = sqrtf(a * a + b * b);
    inverse = norm > 1e-10f ? 1.0f / norm : 0.0f;
    const float above = norm - threshold;
    return above > 0 ? above * inverse : 0.0f;
}

// One thread a pixel of a field.
extern "C" __global__ void field_norm(
    const float* x, const float* statistics, const float* weight, const float* bias,
    const float* vector_weight, const float* log_bias, float* y, int64_t count, int scalars,
    int vectors, int pixels, int activates) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int fields = scalars + vectors;
    const int64_t plane = at / pixels;
    const int field = (int)(plane % fields);
    const int64_t place = field_offset(plane / fields, field, scalars, vectors, pixels)
        + (at - plane * pixels);
    const float rstd = statistics[fields + field];
    if (field < scalars) {
        const float z = (x[place] - statistics[field]) * (rstd * weight[field]) + bias[field];
        y[place] = activates ? fmaxf(z, 0.0f) : z;
        return;
    }
    const float scale = rstd * vector_weight[field - scalars];
    const float a = x[place] * scale, b = x[place + pixels] * scale;
    float inverse;
    const float gain =
        activates ? vector_gain(a, b, expf(log_bias[field - scalars]), inverse) : 1.0f;
    y[place] = a * gain;
    y[place + pixels] = b * gain;
}

// sums [2, fields]: Σ dz and Σ dz·x̂ of scalars; of vectors Σ dv·x and the threshold's gradient.
extern "C" __global__ void field_norm_sums(
    const float* x, const float* dy, const float* statistics, const float* weight,
    const float* bias, const float* vector_weight, const float* log_bias, float* sums, int batch,
    int scalars, int vectors, int pixels, int activates) {
    __shared__ float scratch[32];
    const int field = blockIdx.x, fields = scalars + vectors, lane = threadIdx.x & 31;
    const float mean = statistics[field], rstd = statistics[fields + field];
    const bool is_scalar = field < scalars;
    const float scale = rstd * (is_scalar ? weight[field] : vector_weight[field - scalars]);
    const float shift = is_scalar ? bias[field] - mean * scale : 0;
    const float threshold = !is_scalar && activates ? expf(log_bias[field - scalars]) : 0;
    float first = 0, second = 0;
    for (int b = threadIdx.x >> 5; b < batch; b += blockDim.x >> 5) {
        const int64_t at = field_offset(b, field, scalars, vectors, pixels);
        for (int i = lane; i < pixels; i += 32) {
            const float p = x[at + i], g = dy[at + i];
            if (is_scalar) {
                const float dz = !activates || p * scale + shift > 0 ? g : 0.0f;
                first += dz;
                second += dz * (p - mean);
                continue;
            }
            const float q = x[at + pixels + i], h = dy[at + pixels + i];
            if (!activates) {
                first += g * p + h * q;
                continue;
            }
            float inverse;
            const float a = p * scale, c = q * scale;
            const float gain = vector_gain(a, c, threshold, inverse);
            const float pull = gain > 0 ? (g * a + h * c) * inverse : 0.0f;
            const float bend = pull * threshold * inverse * inverse;
            first += (g * gain + a * bend) * p + (h * gain + c * bend) * q;
            second -= pull;
        }
    }
    first = block_sum(first, scratch);
    second = block_sum(second, scratch);
    if (threadIdx.x == 0) {
        sums[field] = first;
        sums[fields + field] = is_scalar ? second * rstd : second * threshold;
    }
}

extern "C" __global__ void field_norm_parameter_gradients(
    const float* sums, const float* statistics, float* dweight, float* dbias,
    float* dvector_weight, float* dlog_bias, int scalars, int vectors) {
    const int field = blockIdx.x * blockDim.x + threadIdx.x, fields = scalars + vectors;
    if (field >= fields) return;
    if (field < scalars) {
        dbias[field] = sums[field];
        dweight[field] = sums[fields + field];
    } else {
        dvector_weight[field - scalars] = sums[field] * statistics[fields + field];
        dlog_bias[field - scalars] = sums[fields + field];
    }
}

// One thread a pixel of a field. With `samples` > 0 the scalar statistics are those of the batch.
extern "C" __global__ void field_norm_input_gradient(
    const float* x, const float* dy, const float* statistics, const float* weight,
    const float* bias, const float* vector_weight, const float* log_bias, const float* sums,
    float* dx, int64_t count, int scalars, int vectors, int pixels, int activates,
    float samples) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int fields = scalars + vectors;
    const int64_t plane = at / pixels;
    const int field = (int)(plane % fields);
    const int64_t place = field_offset(plane / fields, field, scalars, vectors, pixels)
        + (at - plane * pixels);
    const float rstd = statistics[fields + field];
    if (field < scalars) {
        const float mean = statistics[field], scale = rstd * weight[field];
        const float unit = (x[place] - mean) * rstd;
        float dz = !activates || (x[place] - mean) * scale + bias[field] > 0 ? dy[place] : 0.0f;
        if (samples > 0) dz -= (sums[field] + unit * sums[fields + field]) / samples;
        dx[place] = scale * dz;
        return;
    }
    const float scale = rstd * vector_weight[field - scalars];
    const float g = dy[place], h = dy[place + pixels];
    if (!activates) {
        dx[place] = g * scale;
        dx[place + pixels] = h * scale;
        return;
    }
    const float threshold = expf(log_bias[field - scalars]);
    const float a = x[place] * scale, c = x[place + pixels] * scale;
    float inverse;
    const float gain = vector_gain(a, c, threshold, inverse);
    const float pull = gain > 0 ? (g * a + h * c) * inverse : 0.0f;
    const float bend = pull * threshold * inverse * inverse;
    dx[place] = (g * gain + a * bend) * scale;
    dx[place + pixels] = (h * gain + c * bend) * scale;
}

// One block of a filter [outputs, inputs, taps]; the filter is zero before. One thread an entry.
extern "C" __global__ void basis_expand(
    const float* weights, const float* basis, float* filter, int64_t count, int out_start,
    int out_size, int in_start, int in_fields, int in_size, int elements, int inputs, int taps) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int t = (int)(at % taps), channel = (int)(at / taps % (in_fields * in_size));
    const int out = (int)(at / taps / (in_fields * in_size));
    const int o = out / out_size, a = out % out_size, i = channel / in_size, c = channel % in_size;
    const float* w = weights + ((int64_t)o * in_fields + i) * elements;
    float sum = 0;
    for (int e = 0; e < elements; ++e)
        sum += w[e] * basis[((e * out_size + a) * in_size + c) * taps + t];
    filter[((int64_t)(out_start + out) * inputs + in_start + channel) * taps + t] = sum;
}

// The adjoint, one thread a weight.
extern "C" __global__ void basis_project(
    const float* dfilter, const float* basis, float* dweights, int64_t count, int out_start,
    int out_size, int in_start, int in_fields, int in_size, int elements, int inputs, int taps) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int e = (int)(at % elements), i = (int)(at / elements % in_fields);
    const int o = (int)(at / elements / in_fields);
    float sum = 0;
    for (int a = 0; a < out_size; ++a)
        for (int c = 0; c < in_size; ++c) {
            const float* d = dfilter
                + ((int64_t)(out_start + o * out_size + a) * inputs + in_start + i * in_size + c)
                    * taps;
            const float* from = basis + ((e * out_size + a) * in_size + c) * taps;
            for (int t = 0; t < taps; ++t) sum += d[t] * from[t];
        }
    dweights[at] = sum;
}

// Where an output pixel reads its input.
struct rotation_tap {
    int row, column;
    float down, right;
};

__device__ __forceinline__ rotation_tap tap_of(float x, float y, const float* u, float centre) {
    const float column = x * u[0] - y * u[1] + centre, row = x * u[1] + y * u[0] + centre;
    const float c = floorf(column), r = floorf(row);
    return {(int)r, (int)c, row - r, column - c};
}

__device__ __forceinline__ float pixel(const float* plane, int side, int row, int column) {
    return row >= 0 && row < side && column >= 0 && column < side ? plane[row * side + column]
                                                                   : 0.0f;
}

extern "C" __global__ void rotate_planes(
    const float* x, const float* u, float* y, int64_t count, int channels, int side) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int pixels = side * side, i = (int)(at % pixels);
    const int64_t plane = at / pixels;
    const float centre = 0.5f * (float)(side - 1);
    const rotation_tap t = tap_of((float)(i % side) - centre, (float)(i / side) - centre,
                                  u + 2 * (plane / channels), centre);
    const float* from = x + plane * pixels;
    const float top = pixel(from, side, t.row, t.column) * (1 - t.right)
        + pixel(from, side, t.row, t.column + 1) * t.right;
    const float bottom = pixel(from, side, t.row + 1, t.column) * (1 - t.right)
        + pixel(from, side, t.row + 1, t.column + 1) * t.right;
    y[at] = top * (1 - t.down) + bottom * t.down;
}

// One thread an input pixel: it looks at the outputs that may read it, so the sum has one order.
extern "C" __global__ void rotate_planes_input_gradient(
    const float* dy, const float* u, float* dx, int64_t count, int channels, int side) {
    const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    const int pixels = side * side, i = (int)(at % pixels), row = i / side, column = i % side;
    const int64_t plane = at / pixels;
    const float* of = u + 2 * (plane / channels);
    const float centre = 0.5f * (float)(side - 1);
    const float square = of[0] * of[0] + of[1] * of[1], size = sqrtf(square);
    // The output at the inverse image, and around it all whose reading point is within a pixel.
    int first_row = 0, last_row = side - 1, first_column = 0, last_column = side - 1;
    if (size > 0.05f) {
        const float x = (float)column - centre, y = (float)row - centre;
        const float middle_column = (x * of[0] + y * of[1]) / square + centre;
        const float middle_row = (y * of[0] - x * of[1]) / square + centre;
        const float reach = 1.4143f / size + 0.01f;
        first_row = max(first_row, (int)ceilf(middle_row - reach));
        last_row = min(last_row, (int)floorf(middle_row + reach));
        first_column = max(first_column, (int)ceilf(middle_column - reach));
        last_column = min(last_column, (int)floorf(middle_column + reach));
    }
    float sum = 0;
    for (int r = first_row; r <= last_row; ++r)
        for (int c = first_column; c <= last_column; ++c) {
            const rotation_tap t = tap_of((float)c - centre, (float)r - centre, of, centre);
            const float across = t.row == row ? 1 - t.down : t.row + 1 == row ? t.down : 0.0f;
            const float along =
                t.column == column ? 1 - t.right : t.column + 1 == column ? t.right : 0.0f;
            sum += across * along * dy[plane * pixels + r * side + c];
        }
    dx[at] = sum;
}

// One block a picture.
extern "C" __global__ void rotate_planes_angle_gradient(
    const float* x, const float* u, const float* dy, float* du, int channels, int side) {
    __shared__ float scratch[32];
    const int pixels = side * side;
    const int64_t image = blockIdx.x;
    const float centre = 0.5f * (float)(side - 1);
    float cosine = 0, sine = 0;
    for (int at = threadIdx.x; at < channels * pixels; at += blockDim.x) {
        const int i = at % pixels;
        const float* plane = x + (image * channels + at / pixels) * pixels;
        const float px = (float)(i % side) - centre, py = (float)(i / side) - centre;
        const float g = dy[image * channels * pixels + at];
        const rotation_tap t = tap_of(px, py, u + 2 * image, centre);
        const float a = pixel(plane, side, t.row, t.column);
        const float b = pixel(plane, side, t.row, t.column + 1);
        const float e = pixel(plane, side, t.row + 1, t.column);
        const float f = pixel(plane, side, t.row + 1, t.column + 1);
        const float along = g * ((b - a) * (1 - t.down) + (f - e) * t.down);
        const float across = g * ((e - a) * (1 - t.right) + (f - b) * t.right);
        cosine += along * px + across * py;
        sine += across * px - along * py;
    }
    cosine = block_sum(cosine, scratch);
    sine = block_sum(sine, scratch);
    if (threadIdx.x == 0) {
        du[2 * image] = cosine;
        du[2 * image + 1] = sine;
    }
}
