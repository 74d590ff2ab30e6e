// The run-time compiler. SPDX-License-Identifier: Apache-2.0
#include "ccuda_internal.h"
#include <stdlib.h>

#define CCUDA_NVRTC_CALL(symbol, ...) CCUDA_REQUIRE(CCUDA_NVRTC, symbol, int, __VA_ARGS__)

int ccuda_nvrtc_version(int *major, int *minor) {
    CCUDA_NVRTC_CALL(nvrtcVersion, int *, int *);
    return nvrtcVersion(major, minor);
}

int ccuda_compile(
    const char *source, const char *name, const char *const *options, int option_count,
    void **image, size_t *image_size, char **log) {
    CCUDA_NVRTC_CALL(
        nvrtcCreateProgram, void **, const char *, const char *, int, const char *const *,
        const char *const *);
    CCUDA_NVRTC_CALL(nvrtcCompileProgram, void *, int, const char *const *);
    CCUDA_NVRTC_CALL(nvrtcDestroyProgram, void **);
    CCUDA_NVRTC_CALL(nvrtcGetCUBINSize, void *, size_t *);
    CCUDA_NVRTC_CALL(nvrtcGetCUBIN, void *, char *);
    CCUDA_NVRTC_CALL(nvrtcGetProgramLogSize, void *, size_t *);
    CCUDA_NVRTC_CALL(nvrtcGetProgramLog, void *, char *);
    *image = NULL;
    *log = NULL;
    void *program = NULL;
    int status = nvrtcCreateProgram(&program, source, name, 0, NULL, NULL);
    if (status) return status;
    status = nvrtcCompileProgram(program, option_count, options);
    size_t size = 0;
    if (status) {
        if (nvrtcGetProgramLogSize(program, &size) == 0 && (*log = calloc(size + 1, 1)))
            nvrtcGetProgramLog(program, *log);
    } else {
        status = nvrtcGetCUBINSize(program, &size);
        if (!status && (*image = malloc(size))) status = nvrtcGetCUBIN(program, *image);
        *image_size = size;
    }
    nvrtcDestroyProgram(&program);
    return status;
}
