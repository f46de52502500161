//! Compiles shim.cc against the BoringSSL that boring-sys has built: SPAKE2+ is there in C++ alone, behind an internal
//! header. boring-sys does not say where its copy is, so it is looked for beside this crate's own output.

use std::path::PathBuf;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let builds = out.ancestors().nth(2).expect("build/NAME-HASH/out");
    let boringssl = std::fs::read_dir(builds)
        .expect("the folder of all builds")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("boring-sys-"))
        })
        .map(|path| path.join("out/boringssl"))
        .find(|path| path.join("crypto/spake2plus/internal.h").exists())
        .expect("boring-sys has built BoringSSL");
    println!("cargo:rerun-if-changed=src/shim.cc");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .include(boringssl.join("include"))
        .include(boringssl.join("crypto"))
        .warnings(false)
        .file("src/shim.cc")
        .compile("spake2plus_shim");
}
