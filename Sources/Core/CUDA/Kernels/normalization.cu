// Group and l2 normalisation; layer normalisation of unusual widths. SPDX-License-Identifier: Apache-2.0

// MARK: Group normalisation

// Mean and Σ (x − mean)² of one piece of a group, at most 8192 floats that stay in registers.
// moments [groups of all images][pieces][2]; grid (groups of all images, pieces), block 256.
extern "C" __global__ void group_moments(const float *x, float *moments, int size) {
    __shared__ float scratch[8];
    int begin = blockIdx.y * 8192, count = min(size - begin, 8192);
    const float *from = x + (long long)blockIdx.x * size + begin;
    float values[32], sum = 0;
    if (size % 4 == 0) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int at = threadIdx.x + 256 * i;
            float4 four = at * 4 < count ? ((const float4 *)from)[at] : make_float4(0, 0, 0, 0);
            values[4 * i] = four.x;
            values[4 * i + 1] = four.y;
            values[4 * i + 2] = four.z;
            values[4 * i + 3] = four.w;
            sum += (four.x + four.y) + (four.z + four.w);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 32; i++) {
            int at = threadIdx.x + 256 * i;
            values[i] = at < count ? from[at] : 0.0f;
            sum += values[i];
        }
    }
    float mean = block_sum(sum, scratch) / count, squares = 0;
#pragma unroll
    for (int i = 0; i < 32; i++) {
        int at = size % 4 == 0 ? (threadIdx.x + 256 * (i / 4)) * 4 : threadIdx.x + 256 * i;
        float d = at < count ? values[i] - mean : 0.0f;
        squares += d * d;
    }
    squares = block_sum(squares, scratch);
    if (threadIdx.x == 0) {
        float *to = moments + 2 * ((long long)blockIdx.x * gridDim.y + blockIdx.y);
        to[0] = mean;
        to[1] = squares;
    }
}

// Mean and 1/σ of a group from the moments of its pieces (Chan et al.'s formula, all pieces at once).
__device__ __forceinline__ void combine_moments(const float *moments, int pieces, int size, float epsilon,
                            float *scratch, float &mean, float &rstd) {
    float sum = 0;
    for (int p = threadIdx.x; p < pieces; p += blockDim.x)
        sum += moments[2 * p] * min(size - p * 8192, 8192);
    mean = block_sum(sum, scratch) / size;
    float squares = 0;
    for (int p = threadIdx.x; p < pieces; p += blockDim.x) {
        float d = moments[2 * p] - mean;
        squares += moments[2 * p + 1] + d * d * min(size - p * 8192, 8192);
    }
    rstd = rsqrtf(block_sum(squares, scratch) / size + epsilon);
}

__device__ __forceinline__ float silu(float z) { return z / (1.0f + __expf(-z)); }

// y = x̂ · weight + bias, then SiLU if asked for; statistics [2][B·groups]. Grid (B·groups, pieces),
// block 256.
extern "C" __global__ void group_norm(const float *x, const float *moments, const float *weight,
                                      const float *bias, float *y, float *statistics, int groups,
                                      int width, int plane, float epsilon, int activates) {
    __shared__ float scratch[8];
    int size = width * plane, begin = blockIdx.y * 8192, count = min(size - begin, 8192);
    float mean, rstd;
    combine_moments(moments + 2ll * blockIdx.x * gridDim.y, gridDim.y, size, epsilon, scratch,
                    mean, rstd);
    if (blockIdx.y == 0 && threadIdx.x == 0) {
        statistics[blockIdx.x] = mean;
        statistics[gridDim.x + blockIdx.x] = rstd;
    }
    int first = blockIdx.x % groups * width;
    long long offset = (long long)blockIdx.x * size + begin;
    if (plane % 4 == 0) {
        for (int i = threadIdx.x * 4; i < count; i += 1024) {
            int channel = first + (begin + i) / plane;
            float scale = rstd * weight[channel], shift = bias[channel] - mean * scale;
            float4 z = *(const float4 *)(x + offset + i);
            z.x = z.x * scale + shift;
            z.y = z.y * scale + shift;
            z.z = z.z * scale + shift;
            z.w = z.w * scale + shift;
            if (activates) z = make_float4(silu(z.x), silu(z.y), silu(z.z), silu(z.w));
            *(float4 *)(y + offset + i) = z;
        }
    } else {
        for (int i = threadIdx.x; i < count; i += 256) {
            int channel = first + (begin + i) / plane;
            float scale = rstd * weight[channel], shift = bias[channel] - mean * scale;
            float z = x[offset + i] * scale + shift;
            y[offset + i] = activates ? silu(z) : z;
        }
    }
}

// Both at once for groups of one piece: x is read once. Grid B·groups, block 256.
extern "C" __global__ void group_norm_of_piece(const float *x, const float *weight,
                                               const float *bias, float *y, float *statistics,
                                               int groups, int width, int plane, float epsilon,
                                               int activates) {
    __shared__ float scratch[8];
    int size = width * plane;
    const float *from = x + (long long)blockIdx.x * size;
    float *to = y + (long long)blockIdx.x * size;
    bool is_wide = plane % 4 == 0;
    float values[32], sum = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        float4 four = make_float4(0, 0, 0, 0);
        int at = (threadIdx.x + 256 * i) * 4;
        if (is_wide) {
            if (at < size) four = *(const float4 *)(from + at);
        } else {
            int first = threadIdx.x + 1024 * i;
            if (first < size) four.x = from[first];
            if (first + 256 < size) four.y = from[first + 256];
            if (first + 512 < size) four.z = from[first + 512];
            if (first + 768 < size) four.w = from[first + 768];
        }
        values[4 * i] = four.x;
        values[4 * i + 1] = four.y;
        values[4 * i + 2] = four.z;
        values[4 * i + 3] = four.w;
        sum += (four.x + four.y) + (four.z + four.w);
    }
    float mean = block_sum(sum, scratch) / size, squares = 0;
#pragma unroll
    for (int i = 0; i < 32; i++) {
        int at = is_wide ? (threadIdx.x + 256 * (i / 4)) * 4 : threadIdx.x + 256 * i;
        float d = at < size ? values[i] - mean : 0.0f;
        squares += d * d;
    }
    float rstd = rsqrtf(block_sum(squares, scratch) / size + epsilon);
    if (threadIdx.x == 0) {
        statistics[blockIdx.x] = mean;
        statistics[gridDim.x + blockIdx.x] = rstd;
    }
    int first = blockIdx.x % groups * width;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        int at = (threadIdx.x + 256 * i) * 4;
        if (is_wide) {
            if (at >= size) continue;
            int channel = first + at / plane;
            float scale = rstd * weight[channel], shift = bias[channel] - mean * scale;
            float4 z = make_float4(values[4 * i] * scale + shift, values[4 * i + 1] * scale + shift,
                                   values[4 * i + 2] * scale + shift,
                                   values[4 * i + 3] * scale + shift);
            if (activates) z = make_float4(silu(z.x), silu(z.y), silu(z.z), silu(z.w));
            *(float4 *)(to + at) = z;
        } else {
#pragma unroll
            for (int k = 0; k < 4; k++) {
                int own = threadIdx.x + 1024 * i + 256 * k;
                if (own >= size) continue;
                int channel = first + own / plane;
                float scale = rstd * weight[channel], shift = bias[channel] - mean * scale;
                float z = values[4 * i + k] * scale + shift;
                to[own] = activates ? silu(z) : z;
            }
        }
    }
}

// dy behind the SiLU.
__device__ __forceinline__ float before_activation(float dy, float x, float scale, float shift, int activates) {
    if (!activates) return dy;
    float z = x * scale + shift, s = 1.0f / (1.0f + __expf(-z));
    return dy * (s * (1.0f + z * (1.0f - s)));
}

// Σ dz and Σ dz·x̂ of one channel of one image: sums [2][B·C]; whichever image's block of a channel comes last
// adds them up, in order: dbias and dweight [C]. Grid B·C, block 256.
extern "C" __global__ void group_norm_sums(const float *dy, const float *x, const float *weight,
                                           const float *bias, const float *statistics, float *sums,
                                           float *dweight, float *dbias, int *arrivals,
                                           int channels, int groups, int plane, int activates) {
    __shared__ float scratch[8];
    int c = blockIdx.x % channels, all = gridDim.x / channels * groups;
    int group = blockIdx.x / channels * groups + c / (channels / groups);
    float mean = statistics[group], rstd = statistics[all + group];
    float scale = rstd * weight[c], shift = bias[c] - mean * scale;
    const float *xs = x + (long long)blockIdx.x * plane, *dys = dy + (long long)blockIdx.x * plane;
    float sum = 0, product = 0;
    if (plane % 4 == 0) {
        for (int i = threadIdx.x; i < plane / 4; i += 256) {
            float4 a = ((const float4 *)xs)[i], d = ((const float4 *)dys)[i];
            d.x = before_activation(d.x, a.x, scale, shift, activates);
            d.y = before_activation(d.y, a.y, scale, shift, activates);
            d.z = before_activation(d.z, a.z, scale, shift, activates);
            d.w = before_activation(d.w, a.w, scale, shift, activates);
            sum += (d.x + d.y) + (d.z + d.w);
            product += (d.x * (a.x - mean) + d.y * (a.y - mean)) +
                       (d.z * (a.z - mean) + d.w * (a.w - mean));
        }
    } else {
        for (int i = threadIdx.x; i < plane; i += 256) {
            float d = before_activation(dys[i], xs[i], scale, shift, activates);
            sum += d;
            product += d * (xs[i] - mean);
        }
    }
    sum = block_sum(sum, scratch);
    product = block_sum(product, scratch) * rstd;
    int batch = gridDim.x / channels;
    __shared__ bool comes_last;
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
        sums[gridDim.x + blockIdx.x] = product;
        comes_last = is_last(arrivals + c, batch);
    }
    __syncthreads();
    // A warp each for both sums.
    int which = threadIdx.x / 32;
    if (!comes_last || which > 1) return;
    float total = 0;
    for (int image = threadIdx.x % 32; image < batch; image += 32)
        total += load_fresh(sums + (long long)which * gridDim.x + (long long)image * channels + c);
    total = warp_sum(total);
    if (threadIdx.x % 32 == 0) (which == 0 ? dbias : dweight)[c] = total;
}

// dx of all groups, plus what x has got before (may be null); grid (B·groups, pieces of 8192), block 256.
extern "C" __global__ void group_norm_input_gradient(
    const float *dy, const float *x, const float *weight, const float *bias,
    const float *statistics, const float *sums, const float *before, float *dx, int groups,
    int width, int plane, int activates) {
    __shared__ float scratch[8];
    int size = width * plane, begin = blockIdx.y * 8192, count = min(size - begin, 8192);
    float mean = statistics[blockIdx.x], rstd = statistics[gridDim.x + blockIdx.x];
    int first = blockIdx.x % groups * width;
    long long channels = (long long)gridDim.x * width;  // of all images
    float own_sum = 0, own_product = 0;
    for (int c = threadIdx.x; c < width; c += 256) {
        long long at = (long long)blockIdx.x * width + c;
        own_sum += sums[at] * weight[first + c];
        own_product += sums[channels + at] * weight[first + c];
    }
    float a = block_sum(own_sum, scratch) / size;
    float b = block_sum(own_product, scratch) / size * rstd;
    long long offset = (long long)blockIdx.x * size + begin;
    if (plane % 4 == 0) {
        for (int i = threadIdx.x * 4; i < count; i += 1024) {
            int channel = first + (begin + i) / plane;
            float w = weight[channel], scale = rstd * w, shift = bias[channel] - mean * scale;
            float4 v = *(const float4 *)(x + offset + i), d = *(const float4 *)(dy + offset + i);
            d.x = before_activation(d.x, v.x, scale, shift, activates);
            d.y = before_activation(d.y, v.y, scale, shift, activates);
            d.z = before_activation(d.z, v.z, scale, shift, activates);
            d.w = before_activation(d.w, v.w, scale, shift, activates);
            float4 out = make_float4(0, 0, 0, 0);
            if (before) out = *(const float4 *)(before + offset + i);
            out.x += rstd * (w * d.x - a - (v.x - mean) * b);
            out.y += rstd * (w * d.y - a - (v.y - mean) * b);
            out.z += rstd * (w * d.z - a - (v.z - mean) * b);
            out.w += rstd * (w * d.w - a - (v.w - mean) * b);
            *(float4 *)(dx + offset + i) = out;
        }
    } else {
        for (int i = threadIdx.x; i < count; i += 256) {
            int channel = first + (begin + i) / plane;
            float w = weight[channel], scale = rstd * w, shift = bias[channel] - mean * scale;
            float v = x[offset + i];
            float d = before_activation(dy[offset + i], v, scale, shift, activates);
            dx[offset + i] =
                (before ? before[offset + i] : 0.0f) + rstd * (w * d - a - (v - mean) * b);
        }
    }
}

// MARK: Layer normalisation of any width, backward; the rest of it is in layernorm.cu

__device__ __forceinline__ float4 load4(const float *row, int vector) { return ((const float4 *)row)[vector]; }

// dx = rstd·(g − mean(g) − x̂·mean(g·x̂)) with g = dy·(offset + gain). Eight warps a block.
extern "C" __global__ void layer_norm_input_gradient(const float *dy, const float *x,
                                                     const float *gain, float offset,
                                                     const float *statistics, float *dx, int rows,
                                                     int width, int share) {
    int r = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (r >= rows) return;
    const float *xs = x + (long long)r * width, *dys = dy + (long long)r * width;
    float *to = dx + (long long)r * width;
    if (gain) gain += (long long)(r / share) * width;
    float mean = statistics[r], rstd = statistics[rows + r], sum = 0, product = 0;
    if (width % 4 == 0) {
        for (int i = lane; i < width / 4; i += 32) {
            float4 v = load4(xs, i), d = load4(dys, i);
            if (gain) {
                float4 g = load4(gain, i);
                d.x *= offset + g.x;
                d.y *= offset + g.y;
                d.z *= offset + g.z;
                d.w *= offset + g.w;
            }
            sum += (d.x + d.y) + (d.z + d.w);
            product += (d.x * (v.x - mean) + d.y * (v.y - mean)) +
                       (d.z * (v.z - mean) + d.w * (v.w - mean));
        }
        float a = warp_sum(sum) / width, b = warp_sum(product) / width * rstd * rstd;
        for (int i = lane; i < width / 4; i += 32) {
            float4 v = load4(xs, i), d = load4(dys, i);
            if (gain) {
                float4 g = load4(gain, i);
                d.x *= offset + g.x;
                d.y *= offset + g.y;
                d.z *= offset + g.z;
                d.w *= offset + g.w;
            }
            d.x = rstd * (d.x - a - (v.x - mean) * b);
            d.y = rstd * (d.y - a - (v.y - mean) * b);
            d.z = rstd * (d.z - a - (v.z - mean) * b);
            d.w = rstd * (d.w - a - (v.w - mean) * b);
            ((float4 *)to)[i] = d;
        }
    } else {
        for (int i = lane; i < width; i += 32) {
            float d = dys[i] * (gain ? offset + gain[i] : 1.0f);
            sum += d;
            product += d * (xs[i] - mean);
        }
        float a = warp_sum(sum) / width, b = warp_sum(product) / width * rstd * rstd;
        for (int i = lane; i < width; i += 32) {
            float d = dys[i] * (gain ? offset + gain[i] : 1.0f);
            to[i] = rstd * (d - a - (xs[i] - mean) * b);
        }
    }
}

// Σ of both columns of 8 warps, in the order of the warps; only the first warp's result counts.
__device__ __forceinline__ void add_warps(float &a, float &b, float (*scratch)[2][32]) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    scratch[warp][0][lane] = a;
    scratch[warp][1][lane] = b;
    __syncthreads();
    a = 0;
    b = 0;
    for (int w = 0; w < 8; w++) {
        a += scratch[w][0][lane];
        b += scratch[w][1][lane];
    }
}

// The rows of one part of one group of `share` rows.
__device__ __forceinline__ void rows_of_part(int share, int parts, int &begin, int &end) {
    long long group = blockIdx.x / parts, part = blockIdx.x % parts;
    begin = (int)(group * share + (long long)share * part / parts);
    end = (int)(group * share + (long long)share * (part + 1) / parts);
}

// dgain and dshift, each [groups·parts][width]: sums over the rows that share a gain.
// Grid (groups · parts, columns / 32), block 256.
extern "C" __global__ void layer_norm_gain_gradient(const float *dy, const float *x,
                                                    const float *statistics, float *dgain,
                                                    float *dshift, int rows, int width, int share,
                                                    int parts) {
    __shared__ float scratch[8][2][32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = blockIdx.y * 32 + lane;
    int begin, end;
    rows_of_part(share, parts, begin, end);
    float gain = 0, shift = 0;
    if (column < width)
        for (int r = begin + warp; r < end; r += 8) {
            float d = dy[(long long)r * width + column];
            gain += d * ((x[(long long)r * width + column] - statistics[r]) * statistics[rows + r]);
            shift += d;
        }
    add_warps(gain, shift, scratch);
    if (warp == 0 && column < width) {
        dgain[(long long)blockIdx.x * width + column] = gain;
        dshift[(long long)blockIdx.x * width + column] = shift;
    }
}

// MARK: l2; a warp a row, eight rows a block

extern "C" __global__ void l2_normalize(const float *x, float *y, float *norms, int rows,
                                        int width, float epsilon) {
    int r = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (r >= rows) return;
    const float *from = x + (long long)r * width;
    float squares = 0;
    for (int i = lane; i < width; i += 32) squares += from[i] * from[i];
    float norm = fmaxf(sqrtf(warp_sum(squares)), epsilon), scale = 1.0f / norm;
    for (int i = lane; i < width; i += 32) y[(long long)r * width + i] = from[i] * scale;
    if (lane == 0) norms[r] = norm;
}

extern "C" __global__ void l2_normalize_gradient(const float *dy, const float *y,
                                                 const float *norms, float *dx, int rows,
                                                 int width, float epsilon) {
    int r = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (r >= rows) return;
    const float *ys = y + (long long)r * width, *dys = dy + (long long)r * width;
    float product = 0, norm = norms[r], scale = 1.0f / norm;
    for (int i = lane; i < width; i += 32) product += ys[i] * dys[i];
    // Below epsilon the divisor is a constant.
    product = norm > epsilon ? warp_sum(product) : 0.0f;
    for (int i = lane; i < width; i += 32)
        dx[(long long)r * width + i] = (dys[i] - ys[i] * product) * scale;
}
