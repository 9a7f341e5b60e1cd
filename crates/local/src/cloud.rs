//! The local cloud as a whole: what it is started with, and what it is made of.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use runtime::{Env, OperatorEnv, OsEntropy};
use serde_json::Value;
use tokio::task::JoinSet;

use am_service::backups::restore_service::make_whole;

use crate::backup::{self, Backup, BroughtBack, Faults};
use crate::events::Bus;
use crate::functions::InProcess;
use crate::gateway::Gateway;
use crate::hosts::{Hosts, PublicUrl};
use crate::identity::{Identities, OPERATOR, Usage};
use crate::mail::Outbox;
use crate::objects::{Disk, Objects, Source};
use crate::runtime_api::Binaries;
use crate::schedules::Scheduled;
use crate::secrets::{self, Secrets};
use crate::template::{Function, Template};
use crate::{Invoke, InvokeError, LocalError, Options, dynamodb, folder, listen, mail, time};

/// The folder of letters, in the one that keeps everything.
const OUTBOX: &str = "outbox";

/// A running local cloud; it stops when dropped.
pub struct Cloud {
    functions: Arc<dyn Invoke>,
    disk: Arc<Disk>,
    bus: Arc<Bus>,
    address: SocketAddr,
    objects_address: SocketAddr,
    template: Vec<Function>,
    operator: BTreeMap<String, String>,
    identities: Arc<Identities>,
    pub(crate) backup: Arc<Backup>,
    tables: Arc<dynamodb::Tables>,
    _tasks: JoinSet<()>,
    /// Held for as long as the folder is in use.
    _lock: File,
}

impl Cloud {
    pub async fn start(options: &Options) -> Result<Self, LocalError> {
        let folder = &options.data;
        let lock = folder::take(folder)?;
        let template =
            Template::read(&options.template)?.with_parameters(&options.all_parameters()?)?;
        let mut functions = template.functions()?;
        let mut secrets = Secrets::open(folder)?;
        let secret = secrets.get(secrets::FIRST, &OsEntropy)?;
        let identities = Arc::new(Identities::new(secret, &functions));
        let mut tasks = JoinSet::new();

        let (dynamodb, tables, within) =
            dynamodb::start(folder, &template, identities.clone(), &mut tasks).await?;
        let disk = Arc::new(Disk::open_folder(folder)?);
        for bucket in template.resources("AWS::S3::Bucket")? {
            let versioning = &bucket.properties["VersioningConfiguration"]["Status"];
            disk.add_bucket(&bucket.name, versioning == "Enabled").map_err(|error| {
                LocalError::Database { path: folder.clone(), what: error.to_string() }
            })?;
        }
        let objects = Objects::new(disk.clone(), identities.clone());
        let listener = listen::bind(options.objects_address).await?;
        let objects_address = listen::address_of(&listener)?;
        tasks.spawn(objects.serve(listener));

        let plan = backup::Plan::read(&template)?;
        let backup = Arc::new(Backup::open(folder, plan, tables.clone(), disk.clone())?);
        let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let backup_address = listen::address_of(&listener)?;
        tasks.spawn(backup::serve(backup.clone(), listener, identities.clone()));

        let outbox = Arc::new(Outbox::new(folder.join(OUTBOX), options.prints_letters));
        let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let mail = listen::address_of(&listener)?;
        tasks.spawn(mail::serve(outbox, listener, identities.clone()));
        let endpoints = Endpoints { dynamodb, s3: objects_address, backup: backup_address, mail };

        // Letters say where it is, so that is known before the first one.
        let gateway_listener = listen::bind(options.address).await?;
        let address = listen::address_of(&gateway_listener)?;
        let here = format!("http://localhost:{}", address.port());

        let mut operator = BTreeMap::new();
        for function in &mut functions {
            for value in function.environment.values_mut() {
                *value = secrets.resolve(value, &OsEntropy)?;
            }
            operator.extend(function.environment.clone());
            let platform = endpoints.environment(&function.binary, &identities);
            function.environment.extend(platform);
            // Links are used from elsewhere.
            let public = options.public_url.as_ref().map(PublicUrl::as_str);
            let objects = public.map(|url| ("PUBLIC_OBJECTS_URL".to_owned(), url.to_owned()));
            let web = ("WEB_FOLDER".to_owned(), options.web.display().to_string());
            let pages = ("PUBLIC_URL".to_owned(), public.unwrap_or(&here).to_owned());
            function.environment.extend(objects.into_iter().chain([pages, web]));
        }
        operator.extend(endpoints.environment(OPERATOR, &identities));
        let invoke: Arc<dyn Invoke> = match &options.binaries {
            Some(folder) => Arc::new(Binaries::new(folder, &functions)),
            None => Arc::new(InProcess::start(&functions, within)?),
        };

        time::go_on(folder, &operator, &tables).await?;
        build_index(&operator, &invoke).await?;
        disk.hasten(runtime::now().millis()).map_err(|error| LocalError::Backup(error.into()))?;
        tasks.spawn(time::keep_noting(folder.clone(), tables.clone()));
        let bus = Arc::new(Bus::new(&functions, invoke.clone()));
        for source in Source::ALL {
            let (bus, announcing) = (bus.clone(), disk.clone());
            tasks.spawn(async move { bus.run(&announcing, source).await });
        }

        for scheduled in Scheduled::all(&functions)? {
            tasks.spawn(scheduled.run(invoke.clone()));
        }
        backup.go_on();
        backup.spawn_calendars(&mut tasks);

        let hosts = Hosts::new(options.public_url.clone());
        let gateway = Arc::new(Gateway::new(&functions, invoke.clone(), hosts));
        tasks.spawn(listen::serve(gateway_listener, move |peer| {
            let gateway = gateway.clone();
            service_fn(move |request| {
                let gateway = gateway.clone();
                async move { gateway.answer(request, peer).await }
            })
        }));
        Ok(Self {
            functions: invoke,
            disk,
            bus,
            address,
            objects_address,
            template: functions,
            operator,
            identities,
            backup,
            tables,
            _tasks: tasks,
            _lock: lock,
        })
    }

    /// Starts on a folder that another cloud of this process was just dropped on: connections that
    /// are still closing hold it for a moment.
    pub async fn start_again(options: &Options) -> Result<Self, LocalError> {
        for _ in 0..1000 {
            match Self::start(options).await {
                Err(LocalError::InUse(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                started => return started,
            }
        }
        Self::start(options).await
    }

    /// Where the API listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where uploads and downloads go.
    pub const fn objects_address(&self) -> SocketAddr {
        self.objects_address
    }

    /// The functions that run here, with their full environment.
    pub fn functions(&self) -> &[Function] {
        &self.template
    }

    /// An environment like a function's, with every variable of any of them, that may do anything:
    /// for setting a stage.
    pub const fn operator_environment(&self) -> &BTreeMap<String, String> {
        &self.operator
    }

    /// What the functions have asked of AWS until now.
    pub fn usage(&self) -> Usage {
        self.identities.usage()
    }

    /// Has [`Usage::units`] counted from now on: it takes time.
    pub fn count_units(&self) {
        self.identities.count_units();
    }

    /// Runs one function on an event, as `sam local invoke` would.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        self.functions.invoke(function, event).await
    }

    /// What is to go wrong with backups.
    pub fn faults(&self) -> &Faults {
        &self.backup.faults
    }

    /// Puts the newest verified backup in the place of a database that is gone. Sessions start empty; what was
    /// erased stays so, and what the copy has cut in two is made whole.
    pub async fn bring_back(&self) -> Result<Vec<BroughtBack>, LocalError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| LocalError::Backup(error);
        let sessions = self.operator.get("SESSIONS_TABLE").cloned().unwrap_or_default();
        let back = self.backup.bring_back(&sessions).await.map_err(|error| failed(error.into()))?;
        let lookup = |name: &str| self.operator.get(name).cloned();
        let operator = OperatorEnv::new(Env::new(&lookup)).operator();
        let operator =
            operator.map_err(|source| LocalError::Config { binary: "local".into(), source })?;
        make_whole(&operator, runtime::now()).await.map_err(failed)?;
        Ok(back)
    }

    /// An error where bringing the database back was cut off: half of it would be taken for all.
    pub fn refuse_half_a_database(&self) -> Result<(), LocalError> {
        if self.backup.is_half_back() { Err(LocalError::HalfBack) } else { Ok(()) }
    }

    /// Lets tables refuse the next so many scans.
    pub fn throttle_scans(&self, count: u32) {
        self.tables.throttle_scans(count);
    }

    /// Lets transactions last that long, as over a network: others that meet them are refused, and who reads sees some
    /// of their items before others.
    pub fn prolong_transactions(&self, time: Duration) {
        self.tables.prolong_transactions(time);
    }

    /// Loses a recovery point, as no vault would.
    pub fn lose_recovery_point(&self, arn: &str) -> Result<(), LocalError> {
        self.backup.lose(arn).map_err(|error| LocalError::Backup(error.into()))
    }

    /// Waits until every event of the bucket was delivered or given up.
    pub async fn settle(&self) {
        while !self.is_settled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The same, for no longer than this: where nothing can be noted, as on a full disk, events come again and
    /// again.
    pub(crate) async fn settle_within(&self, limit: Duration) {
        let _ = tokio::time::timeout(limit, self.settle()).await;
    }

    /// Whether no event waits to be delivered; or none will be, since nothing can be noted.
    pub fn is_settled(&self) -> bool {
        self.bus.is_stuck() || self.disk.undelivered().is_ok_and(|count| count == 0)
    }
}

/// Lists what is older than the lists are, once. What does that on AWS is an operator.
async fn build_index(
    operator: &BTreeMap<String, String>,
    functions: &Arc<dyn Invoke>,
) -> Result<(), LocalError> {
    let lookup = |name: &str| operator.get(name).cloned();
    let operator = OperatorEnv::new(Env::new(&lookup)).operator();
    let operator =
        operator.map_err(|source| LocalError::Config { binary: "local".into(), source })?;
    if operator.is_index_built().await.unwrap_or(false) {
        return Ok(());
    }
    match functions.invoke("build-index", serde_json::json!({})).await {
        Ok(built) if built["listed"].as_u64() == Some(0) => {}
        Ok(built) => {
            tracing::info!(records = %built["listed"], "the index of lists and words was made")
        }
        // Work goes on all the same, and the next start tries again. Until then, the audit says so.
        Err(error) => tracing::error!(%error, "lists and searches miss records from before"),
    }
    Ok(())
}

/// Where the services are.
#[derive(Clone, Copy)]
struct Endpoints {
    dynamodb: SocketAddr,
    s3: SocketAddr,
    backup: SocketAddr,
    mail: SocketAddr,
}

impl Endpoints {
    /// The environment that Lambda sets beside the template's.
    fn environment(self, access_key: &str, identities: &Identities) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), access_key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), identities.secret_key(access_key)),
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), format!("http://{}", self.dynamodb)),
            ("AWS_ENDPOINT_URL_S3".to_owned(), format!("http://{}", self.s3)),
            ("AWS_ENDPOINT_URL_BACKUP".to_owned(), format!("http://{}", self.backup)),
            ("AWS_ENDPOINT_URL_SESV2".to_owned(), format!("http://{}", self.mail)),
        ])
    }
}
