// Convolution in f32 as products of implicit matrices: plain tiles on the planes as they lie, any groups.
// SPDX-License-Identifier: Apache-2.0

struct PlainShape {
    int batch, channels, height, width, outputs, kernel_height, kernel_width;
    int out_height, out_width, stride, top, left, groups;
};

enum { FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT };

// Element (m, k) of the left matrix and (k, n) of the right one, for one group.
template <int MODE>
__device__ __forceinline__ float left_element(const float *a, const PlainShape &s, int group, int m, int k) {
    int taps = s.kernel_height * s.kernel_width;
    int inputs = s.channels / s.groups, outputs = s.outputs / s.groups;
    if (MODE == FORWARD) return a[(long long)(group * outputs + m) * inputs * taps + k];
    if (MODE == INPUT_GRADIENT)
        return a[((long long)(group * outputs + k / taps) * inputs + m) * taps + k % taps];
    int plane = s.out_height * s.out_width;
    return a[((long long)(k / plane) * s.outputs + group * outputs + m) * plane + k % plane];
}

__device__ __forceinline__ float padded_pixel(const float *x, const PlainShape &s, long long channel, int y, int xx) {
    if ((uint32_t)y >= (uint32_t)s.height || (uint32_t)xx >= (uint32_t)s.width) return 0.0f;
    return x[(channel * s.height + y) * s.width + xx];
}

template <int MODE>
__device__ __forceinline__ float right_element(const float *b, const PlainShape &s, int group, int k, int n) {
    int taps = s.kernel_height * s.kernel_width;
    int inputs = s.channels / s.groups, outputs = s.outputs / s.groups;
    int pixel = MODE == WEIGHT_GRADIENT ? k : n, window = MODE == WEIGHT_GRADIENT ? n : k;
    int c = window / taps, u = window % taps / s.kernel_width, v = window % s.kernel_width;
    if (MODE == INPUT_GRADIENT) {
        int plane = s.height * s.width, image = pixel / plane, at = pixel % plane;
        int y = at / s.width + s.top - u, xx = at % s.width + s.left - v;
        if (y < 0 || xx < 0 || y % s.stride != 0 || xx % s.stride != 0) return 0.0f;
        y /= s.stride;
        xx /= s.stride;
        if (y >= s.out_height || xx >= s.out_width) return 0.0f;
        long long channel = (long long)image * s.outputs + group * outputs + c;
        return b[(channel * s.out_height + y) * s.out_width + xx];
    }
    int plane = s.out_height * s.out_width, image = pixel / plane, at = pixel % plane;
    long long channel = (long long)image * s.channels + group * inputs + c;
    return padded_pixel(b, s, channel, at / s.out_width * s.stride + u - s.top,
                        at % s.out_width * s.stride + v - s.left);
}

// 64 × 64 tiles, 16 deep; 256 threads hold 4 × 4 sums each. blockIdx.z = group · parts + part.
template <int MODE>
__device__ __forceinline__ void convolve_plain(const float *a, const float *b, const float *bias, float *out,
                           PlainShape s, int parts) {
    __shared__ float left[16][68], right[16][68];
    int taps = s.kernel_height * s.kernel_width;
    int inputs = s.channels / s.groups, outputs = s.outputs / s.groups;
    int out_plane = s.out_height * s.out_width, in_plane = s.height * s.width;
    int group = blockIdx.z / parts, part = blockIdx.z % parts;
    int rows = MODE == INPUT_GRADIENT ? inputs : outputs;
    int columns = MODE == FORWARD          ? s.batch * out_plane
                  : MODE == INPUT_GRADIENT ? s.batch * in_plane
                                           : inputs * taps;
    int depth = MODE == FORWARD          ? inputs * taps
                : MODE == INPUT_GRADIENT ? outputs * taps
                                         : s.batch * out_plane;
    int first_m = blockIdx.y * 64, first_n = blockIdx.x * 64;
    int per_part = ((depth + 15) / 16 + parts - 1) / parts * 16;
    int begin = part * per_part, end = min(begin + per_part, depth);
    int row = threadIdx.x / 16 * 4, column = threadIdx.x % 16 * 4;
    float sum[4][4] = {};
    for (int k0 = begin; k0 < end; k0 += 16) {
        for (int i = 0; i < 4; i++) {
            // The dense index of each matrix runs along the threads.
            int at = threadIdx.x + 256 * i;
            int m = MODE == WEIGHT_GRADIENT || MODE == FORWARD ? at / 16 : at % 64;
            int k = MODE == WEIGHT_GRADIENT || MODE == FORWARD ? at % 16 : at / 64;
            left[k][m] = k0 + k < end && first_m + m < rows
                             ? left_element<MODE>(a, s, group, first_m + m, k0 + k)
                             : 0.0f;
            int n = MODE == WEIGHT_GRADIENT ? at / 16 : at % 64;
            k = MODE == WEIGHT_GRADIENT ? at % 16 : at / 64;
            right[k][n] = k0 + k < end && first_n + n < columns
                              ? right_element<MODE>(b, s, group, k0 + k, first_n + n)
                              : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < 16; k++)
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    sum[i][j] = fmaf(left[k][row + i], right[k][column + j], sum[i][j]);
        __syncthreads();
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            int m = first_m + row + i, n = first_n + column + j;
            if (m >= rows || n >= columns) continue;
            if (MODE == WEIGHT_GRADIENT) {
                long long size = (long long)s.outputs * inputs * taps;
                out[part * size + (long long)(group * outputs + m) * columns + n] = sum[i][j];
                continue;
            }
            int plane = MODE == FORWARD ? out_plane : in_plane;
            int channels = MODE == FORWARD ? s.outputs : s.channels;
            int channel = group * rows + m;
            float shift = MODE == FORWARD && bias ? bias[channel] : 0.0f;
            out[((long long)(n / plane) * channels + channel) * plane + n % plane] =
                sum[i][j] + shift;
        }
}

#define PLAIN(NAME, MODE)                                                                         \
    extern "C" __global__ void __launch_bounds__(256)                                             \
        NAME(const float *a, const float *b, const float *bias, float *out, int batch,            \
             int channels, int height, int width, int outputs, int kernel_height,                 \
             int kernel_width, int out_height, int out_width, int stride, int top, int left,      \
             int groups, int parts) {                                                             \
        PlainShape s = {batch,      channels,  height, width, outputs, kernel_height,             \
                        kernel_width, out_height, out_width, stride, top, left, groups};          \
        convolve_plain<MODE>(a, b, bias, out, s, parts);                                          \
    }

PLAIN(convolution_plain, FORWARD)
PLAIN(convolution_plain_input, INPUT_GRADIENT)
PLAIN(convolution_plain_weight, WEIGHT_GRADIENT)

// out[i] = Σ parts[p·size + i], in order.
extern "C" __global__ void add_parts(const float *parts, float *out, long long size, int count) {
    long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= size) return;
    float sum = 0;
    for (int p = 0; p < count; p++) sum += parts[p * size + at];
    out[at] = sum;
}
