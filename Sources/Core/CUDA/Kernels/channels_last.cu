// Feature maps as bf16 with channels last [B, pixels, C]: group normalisation, and weights of a convolution
// behind an upsampling. SPDX-License-Identifier: Apache-2.0

__device__ __forceinline__ void unpack8(uint4 x, float (&v)[8]) {
    uint32_t words[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        v[2 * i] = __uint_as_float(words[i] << 16);
        v[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
}

// Scale and shift of every channel of every image, [B][2][C], by which a group norm maps it: moments of slices
// [B][slices][groups][2] are combined by the block of an image that comes last. Thread t takes channels
// 8·(t % C8) … of every (256 / C8)-th pixel. Grid (slices, B), block 256, shared 4096 floats.
extern "C" __global__ void __launch_bounds__(256)
    group_maps(const uint4 *x, const float *weight, const float *bias, float *moments, float *maps,
               int *arrivals, int c8, int groups, int pixels, float epsilon) {
    extern __shared__ float sums[];
    __shared__ bool comes_last;
    int rows = 256 / c8, row = threadIdx.x / c8, chunk = threadIdx.x % c8, channels = c8 * 8;
    int width = channels / groups;
    int per_slice = (pixels + gridDim.x - 1) / gridDim.x;
    int begin = blockIdx.x * per_slice, end = min(begin + per_slice, pixels);
    const uint4 *image = x + (long long)blockIdx.y * pixels * c8;
    float sum[8] = {}, square[8] = {};
    if (row < rows) {
#pragma unroll 4
        for (int p = begin + row; p < end; p += rows) {
            float v[8];
            unpack8(image[(long long)p * c8 + chunk], v);
#pragma unroll
            for (int i = 0; i < 8; i++) {
                sum[i] += v[i];
                square[i] = fmaf(v[i], v[i], square[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < 8; i++) {
            sums[(row * channels + chunk * 8 + i) * 2] = sum[i];
            sums[(row * channels + chunk * 8 + i) * 2 + 1] = square[i];
        }
    }
    __syncthreads();
    for (int c = threadIdx.x; c < channels; c += 256)
        for (int r = 1; r < rows; r++) {
            sums[c * 2] += sums[(r * channels + c) * 2];
            sums[c * 2 + 1] += sums[(r * channels + c) * 2 + 1];
        }
    __syncthreads();
    float *own = moments + ((long long)blockIdx.y * gridDim.x + blockIdx.x) * groups * 2;
    for (int g = threadIdx.x; g < groups; g += 256) {
        float s = 0, q = 0;
        for (int c = g * width; c < (g + 1) * width; c++) {
            s += sums[c * 2];
            q += sums[c * 2 + 1];
        }
        own[g * 2] = s;
        own[g * 2 + 1] = fmaxf(q - s * s / (width * max(end - begin, 1)), 0.0f);
        __threadfence();
    }
    __syncthreads();
    if (threadIdx.x == 0) comes_last = is_last(arrivals + blockIdx.y, gridDim.x);
    __syncthreads();
    if (!comes_last) return;
    const float *all = moments + (long long)blockIdx.y * gridDim.x * groups * 2;
    // Eight threads share a group, each every eighth slice.
    int part = threadIdx.x % 8;
    for (int first = 0; first < groups; first += 32) {
        int g = first + threadIdx.x / 8;
        float total = 0, squares = 0;
        for (int s = part; g < groups && s < gridDim.x; s += 8)
            total += load_fresh(all + ((long long)s * groups + g) * 2);
        for (int o = 4; o > 0; o /= 2) total += __shfl_xor_sync(0xffffffffu, total, o);
        float mean = total / width / pixels;
        for (int s = part; g < groups && s < gridDim.x; s += 8) {
            int count = (min((s + 1) * per_slice, pixels) - min(s * per_slice, pixels)) * width;
            if (count == 0) continue;
            float d = load_fresh(all + ((long long)s * groups + g) * 2) / count - mean;
            squares += load_fresh(all + ((long long)s * groups + g) * 2 + 1) + d * d * count;
        }
        for (int o = 4; o > 0; o /= 2) squares += __shfl_xor_sync(0xffffffffu, squares, o);
        if (g >= groups) continue;
        float rstd = rsqrtf(squares / width / pixels + epsilon);
        float *map = maps + (long long)blockIdx.y * channels * 2;
        for (int c = g * width + part; c < (g + 1) * width; c += 8) {
            float scale = rstd * weight[c];
            map[c] = scale;
            map[channels + c] = bias[c] - mean * scale;
        }
    }
}

// The same maps from Σ and Σ² of every channel over tiles of its image [B][tiles][C][2], as a convolution leaves
// them. Grid (groups, B), block 128.
extern "C" __global__ void __launch_bounds__(128)
    maps_from_sums(const float2 *sums, const float *weight, const float *bias, float *maps, int tiles,
                   int channels, int groups, int pixels, float epsilon) {
    __shared__ double scratch[4];
    int width = channels / groups, first = blockIdx.x * width;
    sums += (long long)blockIdx.y * tiles * channels + first;
    double total = 0, squares = 0;
    for (int i = threadIdx.x; i < tiles * width; i += 128) {
        float2 own = sums[(long long)(i / width) * channels + i % width];
        total += own.x;
        squares += own.y;
    }
    double count = (double)width * pixels, mean = block_sum(total, scratch) / count;
    double variance = block_sum(squares, scratch) / count - mean * mean;
    float rstd = rsqrtf(fmaxf((float)variance, 0.0f) + epsilon);
    float *map = maps + (long long)blockIdx.y * channels * 2 + first;
    for (int c = threadIdx.x; c < width; c += 128) {
        float scale = rstd * weight[first + c];
        map[c] = scale;
        map[channels + c] = bias[first + c] - (float)mean * scale;
    }
}

// y = x · scale + shift, then SiLU if asked for; maps as above. Grid (slices, B), block 256.
extern "C" __global__ void __launch_bounds__(256)
    map_channels(const uint4 *x, const float *maps, uint4 *y, int c8, int pixels, int activates) {
    int rows = 256 / c8, row = threadIdx.x / c8, chunk = threadIdx.x % c8;
    if (row >= rows) return;
    int per_slice = (pixels + gridDim.x - 1) / gridDim.x;
    int begin = blockIdx.x * per_slice, end = min(begin + per_slice, pixels);
    const float *map = maps + (long long)blockIdx.y * c8 * 16 + chunk * 8;
    float scale[8], shift[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        scale[i] = map[i];
        shift[i] = map[c8 * 8 + i];
    }
    long long offset = (long long)blockIdx.y * pixels * c8 + chunk;
#pragma unroll 4
    for (int p = begin + row; p < end; p += rows) {
        float v[8];
        unpack8(x[offset + (long long)p * c8], v);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float z = v[i] * scale[i] + shift[i];
            v[i] = activates ? __fdividef(z, 1.0f + __expf(-z)) : z;
        }
        y[offset + (long long)p * c8] =
            make_uint4(to_bf16x2(v[0], v[1]), to_bf16x2(v[2], v[3]), to_bf16x2(v[4], v[5]),
                       to_bf16x2(v[6], v[7]));
    }
}

// A 3 × 3 kernel behind an upsampling to twice the size is one of 2 × 2 for each phase of the result's pixels:
// w [rows, inner, 3, 3] f32 → [2·2 phases][rows][2 × 2 taps][padded] bf16. Phase 0 sees taps {0} and {1, 2}
// on its two pixels, phase 1 taps {0, 1} and {2}.
extern "C" __global__ void pack_upsampled_weights(const float *w, uint16_t *out, int rows, int inner,
                                                  int padded) {
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    long long total = 16ll * rows * padded;
    if (at >= total) return;
    int i = (int)(at % padded);
    long long rest = at / padded;
    int tap = (int)(rest % 4), phase = (int)(rest / 4 / rows);
    long long row = rest / 4 % rows;
    float value = 0;
    if (i < inner) {
        const float *own = w + (row * inner + i) * 9;
        int a = phase / 2, b = phase % 2, u = tap / 2, v = tap % 2;
        int first_u = u == 0 ? 0 : a + 1, last_u = u == 0 ? a : 2;
        int first_v = v == 0 ? 0 : b + 1, last_v = v == 0 ? b : 2;
        for (int y = first_u; y <= last_u; y++)
            for (int x = first_v; x <= last_v; x++) value += own[y * 3 + x];
    }
    out[at] = to_bf16(value);
}
