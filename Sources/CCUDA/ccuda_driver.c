// The driver API. SPDX-License-Identifier: Apache-2.0
#include "ccuda_internal.h"
#include <stdio.h>

#define CCUDA_DRIVER_CALL(symbol, ...) CCUDA_REQUIRE(CCUDA_DRIVER, symbol, int, __VA_ARGS__)

// Values of the driver's enumerations.
enum {
    MULTIPROCESSOR_COUNT = 16,
    CAPABILITY_MAJOR = 75,
    CAPABILITY_MINOR = 76,
    SHARED_MEMORY_OPT_IN = 97,
    FUNCTION_DYNAMIC_SHARED_SIZE = 8,
    PROGRAMMATIC_STREAM_SERIALIZATION = 6,
    STREAM_NON_BLOCKING = 1,
    CAPTURE_MODE_RELAXED = 2,
};

int ccuda_initialize(int *device_count, int *driver_version) {
    CCUDA_DRIVER_CALL(cuInit, unsigned);
    CCUDA_DRIVER_CALL(cuDeviceGetCount, int *);
    CCUDA_DRIVER_CALL(cuDriverGetVersion, int *);
    int status = cuInit(0);
    if (status == 0) status = cuDriverGetVersion(driver_version);
    return status == 0 ? cuDeviceGetCount(device_count) : status;
}

int ccuda_describe(int device, ccuda_description *description) {
    CCUDA_DRIVER_CALL(cuDeviceGetName, char *, int, int);
    CCUDA_DRIVER_CALL(cuDeviceGetAttribute, int *, int, int);
    CCUDA_DRIVER_CALL(cuDeviceTotalMem_v2, size_t *, int);
    int status = cuDeviceGetName(description->name, sizeof description->name, device);
    if (!status) status = cuDeviceGetAttribute(&description->major, CAPABILITY_MAJOR, device);
    if (!status) status = cuDeviceGetAttribute(&description->minor, CAPABILITY_MINOR, device);
    if (!status)
        status = cuDeviceGetAttribute(
            &description->multiprocessors, MULTIPROCESSOR_COUNT, device);
    if (!status)
        status = cuDeviceGetAttribute(
            &description->shared_per_block, SHARED_MEMORY_OPT_IN, device);
    if (!status) status = cuDeviceTotalMem_v2(&description->memory, device);
    return status;
}

// Ordinals are used as device handles: the driver defines them so.
int ccuda_context_create(int device, void **context) {
    CCUDA_DRIVER_CALL(cuDevicePrimaryCtxRetain, void **, int);
    return cuDevicePrimaryCtxRetain(context, device);
}

int ccuda_context_release(int device) {
    CCUDA_DRIVER_CALL(cuDevicePrimaryCtxRelease_v2, int);
    return cuDevicePrimaryCtxRelease_v2(device);
}

int ccuda_context_use(void *context) {
    CCUDA_DRIVER_CALL(cuCtxSetCurrent, void *);
    return cuCtxSetCurrent(context);
}

int ccuda_memory_info(size_t *free_bytes, size_t *total_bytes) {
    CCUDA_DRIVER_CALL(cuMemGetInfo_v2, size_t *, size_t *);
    return cuMemGetInfo_v2(free_bytes, total_bytes);
}

int ccuda_allocate(uint64_t *address, size_t bytes) {
    CCUDA_DRIVER_CALL(cuMemAlloc_v2, uint64_t *, size_t);
    return cuMemAlloc_v2(address, bytes);
}

int ccuda_free(uint64_t address) {
    CCUDA_DRIVER_CALL(cuMemFree_v2, uint64_t);
    return cuMemFree_v2(address);
}

int ccuda_host_allocate(void **address, size_t bytes) {
    CCUDA_DRIVER_CALL(cuMemHostAlloc, void **, size_t, unsigned);
    return cuMemHostAlloc(address, bytes, 1);
}

int ccuda_host_free(void *address) {
    CCUDA_DRIVER_CALL(cuMemFreeHost, void *);
    return cuMemFreeHost(address);
}

int ccuda_stream_create(void **stream) {
    CCUDA_DRIVER_CALL(cuStreamCreate, void **, unsigned);
    return cuStreamCreate(stream, STREAM_NON_BLOCKING);
}

int ccuda_stream_destroy(void *stream) {
    CCUDA_DRIVER_CALL(cuStreamDestroy_v2, void *);
    return cuStreamDestroy_v2(stream);
}

int ccuda_stream_wait(void *stream) {
    CCUDA_DRIVER_CALL(cuStreamSynchronize, void *);
    return cuStreamSynchronize(stream);
}

int ccuda_upload(uint64_t to, const void *from, size_t bytes, void *stream) {
    CCUDA_DRIVER_CALL(cuMemcpyHtoDAsync_v2, uint64_t, const void *, size_t, void *);
    return cuMemcpyHtoDAsync_v2(to, from, bytes, stream);
}

int ccuda_download(void *to, uint64_t from, size_t bytes, void *stream) {
    CCUDA_DRIVER_CALL(cuMemcpyDtoHAsync_v2, void *, uint64_t, size_t, void *);
    return cuMemcpyDtoHAsync_v2(to, from, bytes, stream);
}

int ccuda_copy(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    CCUDA_DRIVER_CALL(cuMemcpyDtoDAsync_v2, uint64_t, uint64_t, size_t, void *);
    return cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
}

int ccuda_fill8(uint64_t to, uint8_t value, size_t count, void *stream) {
    CCUDA_DRIVER_CALL(cuMemsetD8Async, uint64_t, unsigned char, size_t, void *);
    return cuMemsetD8Async(to, value, count, stream);
}

int ccuda_fill32(uint64_t to, uint32_t value, size_t count, void *stream) {
    CCUDA_DRIVER_CALL(cuMemsetD32Async, uint64_t, unsigned, size_t, void *);
    return cuMemsetD32Async(to, value, count, stream);
}

int ccuda_module_load(const void *image, void **module) {
    CCUDA_DRIVER_CALL(cuModuleLoadData, void **, const void *);
    return cuModuleLoadData(module, image);
}

int ccuda_module_unload(void *module) {
    CCUDA_DRIVER_CALL(cuModuleUnload, void *);
    return cuModuleUnload(module);
}

int ccuda_function(void *module, const char *name, void **function) {
    CCUDA_DRIVER_CALL(cuModuleGetFunction, void **, void *, const char *);
    return cuModuleGetFunction(function, module, name);
}

// CUlaunchConfig and CUlaunchAttribute, as the driver lays them out.
typedef struct {
    int identifier, padding;
    union {
        char bytes[64];
        int number;
    } value;
} launch_attribute;

typedef struct {
    unsigned grid[3], block[3], shared_bytes;
    void *stream;
    launch_attribute *attributes;
    unsigned attribute_count;
} launch_settings;

int ccuda_launch_early(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, const uint64_t *slots, int count) {
    CCUDA_DRIVER_CALL(cuLaunchKernelEx, const launch_settings *, void *, void **, void **);
    CCUDA_DRIVER_CALL(cuFuncSetAttribute, void *, int, int);
    void *arguments[48];
    if (count > 48) return 1;
    for (int i = 0; i < count; ++i) arguments[i] = (void *)(slots + i);
    if (shared_bytes > 48 * 1024) {
        int status = cuFuncSetAttribute(function, FUNCTION_DYNAMIC_SHARED_SIZE, (int)shared_bytes);
        if (status) return status;
    }
    launch_attribute attribute = {PROGRAMMATIC_STREAM_SERIALIZATION, 0, {{0}}};
    attribute.value.number = 1;
    const launch_settings settings = {
        {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared_bytes, stream,
        &attribute, 1};
    return cuLaunchKernelEx(&settings, function, arguments, NULL);
}

// Encoded maps as kernels take them.
typedef struct {
    _Alignas(64) uint64_t words[16];
} encoded_map;

static int launch(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, encoded_map *maps, int map_count, const uint64_t *slots, int count) {
    CCUDA_DRIVER_CALL(
        cuLaunchKernel, void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
        unsigned, void *, void **, void **);
    CCUDA_DRIVER_CALL(cuFuncSetAttribute, void *, int, int);
    void *arguments[48];
    if (map_count + count > 48) return 1;
    for (int i = 0; i < map_count; ++i) arguments[i] = maps + i;
    for (int i = 0; i < count; ++i) arguments[map_count + i] = (void *)(slots + i);
    if (shared_bytes > 48 * 1024) {
        int status = cuFuncSetAttribute(function, FUNCTION_DYNAMIC_SHARED_SIZE, (int)shared_bytes);
        if (status) return status;
    }
    return cuLaunchKernel(
        function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared_bytes, stream,
        arguments, NULL);
}

int ccuda_launch_mapped(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, const ccuda_tensor_map *maps, int map_count, const uint64_t *slots, int count) {
    // Element type, interleaving, swizzle, promotion to the second-level cache, filling: zeros.
    enum { BFLOAT16 = 9, NO_INTERLEAVE = 0, SWIZZLE_64 = 2, PROMOTE_128 = 2, FILL_ZEROS = 0 };
    CCUDA_DRIVER_CALL(
        cuTensorMapEncodeTiled, encoded_map *, int, unsigned, void *, const uint64_t *,
        const uint64_t *, const uint32_t *, const uint32_t *, int, int, int, int);
    encoded_map encoded[2];
    if (map_count > 2) return 1;
    const uint32_t steps[4] = {1, 1, 1, 1};
    for (int i = 0; i < map_count; ++i) {
        int status = cuTensorMapEncodeTiled(
            encoded + i, BFLOAT16, (unsigned)maps[i].rank, (void *)(uintptr_t)maps[i].address,
            maps[i].sizes, maps[i].strides, maps[i].box, steps, NO_INTERLEAVE, SWIZZLE_64,
            PROMOTE_128, FILL_ZEROS);
        if (status) return status;
    }
    return launch(
        function, grid, block, shared_bytes, stream, encoded, map_count, slots, count);
}

int ccuda_launch(
    void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_bytes,
    void *stream, const uint64_t *slots, int count) {
    return launch(function, grid, block, shared_bytes, stream, NULL, 0, slots, count);
}

int ccuda_event_create(void **event) {
    CCUDA_DRIVER_CALL(cuEventCreate, void **, unsigned);
    return cuEventCreate(event, 0);
}

int ccuda_event_destroy(void *event) {
    CCUDA_DRIVER_CALL(cuEventDestroy_v2, void *);
    return cuEventDestroy_v2(event);
}

int ccuda_event_record(void *event, void *stream) {
    CCUDA_DRIVER_CALL(cuEventRecord, void *, void *);
    return cuEventRecord(event, stream);
}

int ccuda_event_wait(void *event) {
    CCUDA_DRIVER_CALL(cuEventSynchronize, void *);
    return cuEventSynchronize(event);
}

int ccuda_event_milliseconds(float *milliseconds, void *start, void *end) {
    CCUDA_DRIVER_CALL(cuEventElapsedTime, float *, void *, void *);
    return cuEventElapsedTime(milliseconds, start, end);
}

int ccuda_capture_begin(void *stream) {
    CCUDA_DRIVER_CALL(cuStreamBeginCapture_v2, void *, int);
    return cuStreamBeginCapture_v2(stream, CAPTURE_MODE_RELAXED);
}

int ccuda_capture_end(void *stream, void **graph) {
    CCUDA_DRIVER_CALL(cuStreamEndCapture, void *, void **);
    return cuStreamEndCapture(stream, graph);
}

int ccuda_graph_instantiate(void *graph, void **executable) {
    CCUDA_DRIVER_CALL(cuGraphInstantiateWithFlags, void **, void *, unsigned long long);
    return cuGraphInstantiateWithFlags(executable, graph, 0);
}

int ccuda_graph_launch(void *executable, void *stream) {
    CCUDA_DRIVER_CALL(cuGraphLaunch, void *, void *);
    return cuGraphLaunch(executable, stream);
}

int ccuda_graph_destroy(void *graph) {
    CCUDA_DRIVER_CALL(cuGraphDestroy, void *);
    return cuGraphDestroy(graph);
}

int ccuda_graph_executable_destroy(void *executable) {
    CCUDA_DRIVER_CALL(cuGraphExecDestroy, void *);
    return cuGraphExecDestroy(executable);
}

static int error_strings(int status, const char **name, const char **sentence) {
    CCUDA_DRIVER_CALL(cuGetErrorName, int, const char **);
    CCUDA_DRIVER_CALL(cuGetErrorString, int, const char **);
    int result = cuGetErrorName(status, name);
    return result ? result : cuGetErrorString(status, sentence);
}

void ccuda_error_text(int status, char *text, size_t size) {
    const char *name = NULL, *sentence = NULL;
    if (error_strings(status, &name, &sentence) == 0 && name && sentence)
        snprintf(text, size, "%s: %s", name, sentence);
    else
        snprintf(text, size, "error %d", status);
}
